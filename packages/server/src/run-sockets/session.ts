import { randomUUID } from 'node:crypto'
import { limits, type RunFrameFilter, type RunSocketMessage } from '@llm-eval/protocol'
import type { StoredRun } from '@llm-eval/store'
import type { Deps } from '../http/app.ts'
import type { Subscription } from './channel.ts'
import { progressData, shapeOf } from './frames.ts'
import type { Leave, RunHub, Start } from './hub.ts'
import type { SocketOutlet } from './outlet.ts'
import { View } from './view.ts'

/** What a socket follows by itself. */
export type Purpose =
  | { of: 'run'; runId: string; after: string | undefined }
  | { of: 'statuses'; after: string | undefined }
  | { of: 'nothing' }

export interface SessionParts {
  deps: Pick<Deps, 'store' | 'now'>
  hub: RunHub
  projectId: number
  outlet: SocketOutlet
  purpose: Purpose
}

const resyncMessage = 'What came after this cursor is not known here. Load the run anew and go on from here.'

type Asked = Exclude<RunSocketMessage, { type: 'auth' }>

/** One client that is let in: what it follows, and what it asks. */
export class Session {
  readonly #parts: SessionParts
  readonly #followed = new Map<string, Leave>()
  #leaveStatuses: Leave | undefined

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  /** Says hello, and begins to follow what the socket is for. */
  async begin(): Promise<void> {
    const { purpose, hub, outlet } = this.#parts
    const after = purpose.of === 'nothing' ? undefined : purpose.after
    const start = await hub.startAt(after)
    const runId = purpose.of === 'run' ? purpose.runId : null
    const run = runId === null ? null : await this.#read(runId)
    if (run === 'deleted') return outlet.close(4404, 'run_deleted')
    await this.#greet('connected', { start, runId, run }, { connection_id: randomUUID() })
    if (purpose.of === 'statuses') {
      outlet.tell(await this.#statistics('initial_stats'))
      this.#leaveStatuses = await hub.followAll(this.#subscription(start, { filter: {}, onDeleted: () => undefined }))
    }
    if (runId !== null) await this.#follow(runId, { start, run, filter: {} })
  }

  /** Ends all of it. */
  close(): void {
    this.#leaveStatuses?.()
    for (const leave of this.#followed.values()) leave()
    this.#followed.clear()
  }

  async answer(asked: Asked): Promise<void> {
    const { outlet } = this.#parts
    switch (asked.type) {
      case 'ping':
        return outlet.tell(this.frame('pong'))
      case 'pong':
        return undefined
      case 'subscribe':
        return this.#subscribe(asked)
      case 'unsubscribe':
        return this.#unsubscribe(asked.run_id)
      case 'get_run_statistics':
        return outlet.tell(await this.#statistics('run_statistics'))
      case 'get_current_status':
        return this.#tellStatus(asked.run_id)
    }
  }

  /** A frame that is not from the journal. */
  frame(type: string, fields: object = {}): object {
    return { event_type: type, type, timestamp: new Date(this.#parts.deps.now()).toISOString(), ...fields }
  }

  refuse(code: string, error: string, runId?: string): void {
    this.#parts.outlet.tell(this.frame('refused', { ...(runId === undefined ? {} : { run_id: runId }), error, code }))
  }

  #read(id: string): Promise<StoredRun | 'deleted' | null> {
    return this.#parts.deps.store.read(this.#parts.projectId, 'run', { id })
  }

  async #greet(
    type: 'connected' | 'subscribed',
    { start, runId, run }: { start: Start; runId: string | null; run: StoredRun | null },
    more: object = {},
  ): Promise<void> {
    const { outlet, hub } = this.#parts
    const seq = await hub.cursor(start.seq)
    const status = runId === null ? null : (run?.status ?? 'unknown')
    outlet.tell(this.frame(type, { run_id: runId, run_status: status, ...more, seq }))
    if (start.resync === undefined) return
    const data = { reason: start.resync, message: resyncMessage }
    outlet.tell(this.frame('resync_required', { run_id: runId, seq, data }))
  }

  async #subscribe(asked: Extract<Asked, { type: 'subscribe' }>): Promise<void> {
    const { run_id: runId, after_seq: after, filter = {} } = asked
    if (!this.#followed.has(runId) && this.#followed.size >= limits.socketRuns)
      return this.refuse('too_many_runs', `A socket follows at most ${limits.socketRuns} runs`, runId)
    const start = await this.#parts.hub.startAt(after)
    const run = await this.#read(runId)
    if (run === 'deleted') return this.refuse('run_deleted', 'Run was deleted', runId)
    // The same run again takes the place of what was followed of it before.
    this.#leave(runId)
    await this.#greet('subscribed', { start, runId, run })
    await this.#follow(runId, { start, run, filter })
  }

  #unsubscribe(runId: string): void {
    const was = this.#leave(runId)
    if (!was) return this.refuse('not_subscribed', 'Run is not followed here', runId)
    this.#parts.outlet.tell(this.frame('unsubscribed', { run_id: runId }))
  }

  #leave(runId: string): boolean {
    const leave = this.#followed.get(runId)
    leave?.()
    return this.#followed.delete(runId)
  }

  async #follow(
    runId: string,
    { start, run, filter }: { start: Start; run: StoredRun | null; filter: RunFrameFilter },
  ): Promise<void> {
    const { hub, outlet } = this.#parts
    const subscription = this.#subscription(start, { filter, onDeleted: () => this.#deleted(runId) })
    const attempt = new Attempt()
    this.#followed.set(runId, () => attempt.leave())
    const attach = async (found: StoredRun, known: number) => {
      if (outlet.closed || !attempt.take()) return
      attempt.hold(await hub.follow(found, subscription, known))
    }
    if (run) return attach(run, start.seq)
    // Waiting begins before looking once more, so that a run that is made in between is not missed.
    attempt.hold(hub.awaitRun(runId, (seq) => void this.#created(runId, (found) => attach(found, seq))))
    await this.#created(runId, (found) => attach(found, start.seq))
  }

  /** Looks for a run that was not there. */
  async #created(runId: string, attach: (found: StoredRun) => Promise<void>): Promise<void> {
    try {
      const found = await this.#read(runId)
      if (found !== null && found !== 'deleted') await attach(found)
    } catch {
      this.#parts.outlet.close(1013, 'storage_unavailable')
    }
  }

  #deleted(runId: string): void {
    const { purpose, outlet } = this.#parts
    this.#leave(runId)
    if (purpose.of === 'run' && purpose.runId === runId) outlet.close(4404, 'run_deleted')
  }

  #subscription(start: Start, { filter, onDeleted }: { filter: RunFrameFilter; onDeleted: () => void }): Subscription {
    const progress = { seq: Number.NEGATIVE_INFINITY, sentAt: Number.NEGATIVE_INFINITY }
    const { outlet } = this.#parts
    return { outlet, view: new View(filter), since: 0, position: start.seq, progress, onDeleted }
  }

  async #statistics(type: 'initial_stats' | 'run_statistics'): Promise<object> {
    const by_status = await this.#parts.hub.counts()
    const total_runs = Object.values(by_status).reduce((sum, count) => sum + count, 0)
    return this.frame(type, { data: { total_runs, by_status } })
  }

  async #tellStatus(asked: string | undefined): Promise<void> {
    const { purpose, outlet } = this.#parts
    const runId = asked ?? (purpose.of === 'run' ? purpose.runId : undefined)
    if (runId === undefined) return this.refuse('invalid_message', 'Invalid message: run_id: is missing')
    const run = await this.#read(runId)
    if (run === null || run === 'deleted') return this.refuse('run_not_found', 'Run not found', runId)
    const data = {
      status: run.status,
      progress: progressData(run, shapeOf(run)),
      updated_at: new Date(run.updatedAt).toISOString(),
    }
    outlet.tell(this.frame('current_status', { run_id: runId, data }))
  }
}

/** To follow a run that may be there, or be made: the first of both counts, unless it is left before. */
class Attempt {
  #held: Leave = () => undefined
  #state: 'open' | 'taken' | 'left' = 'open'

  /** Whether the caller is the one to follow it. */
  take(): boolean {
    if (this.#state !== 'open') return false
    this.#state = 'taken'
    this.#held()
    return true
  }

  hold(leave: Leave): void {
    if (this.#state === 'left') leave()
    else this.#held = leave
  }

  leave(): void {
    this.#state = 'left'
    this.#held()
  }
}
