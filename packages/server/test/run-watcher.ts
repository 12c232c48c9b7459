import { once } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import type { NewRun, NewRunItem, Store, StoredRun } from '@llm-eval/store'
import type { ClientOptions } from 'ws'
import { WebSocket } from 'ws'
import { newItem, newRun, worker } from '../../store/src/contract/running.contract.ts'

/** Longer than any test. */
const leaseMs = 3_600_000

/** A frame as a client reads it. */
export interface Frame {
  event_type: string
  type: string
  run_id?: string | null
  run_status?: string | null
  seq?: string
  error?: string
  code?: string
  // Tests look into frames freely.
  // oxlint-disable-next-line typescript/no-explicit-any
  data?: any
  [field: string]: unknown
}

/** A client of a WebSocket of runs. */
export class Watcher implements Disposable {
  readonly frames: Frame[] = []
  readonly socket: WebSocket
  closed: { code: number; reason: string } | undefined
  readonly #wakes = new Set<() => void>()

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url.replace('http', 'ws'), options)
    this.socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame
      if (frame.type !== 'ping') this.frames.push(frame)
      this.#wake()
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', (code, reason: Buffer) => {
      this.closed = { code, reason: reason.toString() }
      this.#wake()
    })
  }

  #wake(): void {
    for (const wake of this.#wakes) wake()
  }

  say(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  async opened(): Promise<this> {
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, 'open')
    return this
  }

  /** Resolves when the condition holds; rejects when the socket closes before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.closed) throw new Error(`closed with ${this.closed.code} after ${JSON.stringify(this.frames)}`)
      await this.#changed()
    }
  }

  /** The first frame of a type, from the one of this number on. */
  async frame(type: string, from = 0): Promise<Frame> {
    let at = from
    await this.until(() => {
      while (at < this.frames.length && this.frames[at]?.type !== type) at++
      return at < this.frames.length
    })
    const found = this.frames[at]
    if (!found) throw new Error(`there is no ${type}`)
    return found
  }

  async end(): Promise<{ code: number; reason: string }> {
    while (!this.closed) await this.#changed()
    return this.closed
  }

  /** Frames that can be gone on after, or that stand before one of these; without progress, of which there may be any number. */
  get lasting(): Frame[] {
    return this.frames.filter(({ type }) => ['result', 'error', 'completed', 'status_update'].includes(type))
  }

  drop(): void {
    this.socket.terminate()
  }

  [Symbol.dispose](): void {
    this.drop()
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#wakes.delete(wake)
        resolve()
      }
      this.#wakes.add(wake)
    })
  }
}

/** A run that a test writes straight into the store. */
export class WrittenRun {
  readonly #store: Store
  readonly #projectId: number
  readonly run: StoredRun
  readonly #at: () => number

  static async make(
    { store, projectId, at }: { store: Store; projectId: number; at: () => number },
    fields: Partial<NewRun> & { owner?: string | null } = {},
  ): Promise<WrittenRun> {
    const { owner = worker, ...rest } = fields
    const made = await store.apply(projectId, { kind: 'createRun', run: newRun(rest), owner, at: at(), leaseMs })
    if (!('run' in made)) throw new Error(`the run was not made: ${made.result}`)
    return new WrittenRun({ store, projectId, at }, made.run)
  }

  private constructor({ store, projectId, at }: { store: Store; projectId: number; at: () => number }, run: StoredRun) {
    this.#store = store
    this.#projectId = projectId
    this.#at = at
    this.run = run
  }

  get id(): string {
    return this.run.id
  }

  async add(...items: NewRunItem[]): Promise<void> {
    const lease = { owner: worker, leaseMs }
    const out = await this.#apply({ kind: 'addItems', id: this.id, items, lease, at: this.#at() })
    if (out.result !== 'ok' || !isDeepStrictEqual(new Set(out.fates), new Set(['created'])))
      throw new Error(`the items were not taken: ${JSON.stringify(out)}`)
  }

  /** Items of these numbers. */
  addAll(indexes: readonly number[], fields: Partial<NewRunItem> = {}): Promise<void> {
    return this.add(...indexes.map((index) => newItem(index, fields)))
  }

  start() {
    return this.#apply({ kind: 'startRun', id: this.id, owner: worker, at: this.#at(), leaseMs })
  }

  end(status: 'completed' | 'failed' = 'completed') {
    const error = status === 'failed' ? { code: 'broken', message: 'it broke' } : null
    return this.#apply({ kind: 'endRun', id: this.id, owner: worker, status, stoppedBy: null, error, at: this.#at() })
  }

  cancel() {
    return this.#apply({ kind: 'cancelRun', id: this.id, at: this.#at() })
  }

  resume() {
    return this.#apply({ kind: 'resumeRun', id: this.id, owner: worker, at: this.#at(), leaseMs })
  }

  rename(name: string) {
    return this.#apply({ kind: 'updateRun', id: this.id, set: { name }, at: this.#at() })
  }

  delete() {
    return this.#apply({ kind: 'deleteRun', id: this.id, at: this.#at(), limit: 100 })
  }

  #apply<C extends Parameters<Store['apply']>[1]>(change: C) {
    return this.#store.apply<C['kind']>(this.#projectId, change)
  }
}
