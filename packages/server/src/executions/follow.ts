import { type Execution, type ExecutionFrame, type ExecutionProgress, formatCursor } from '@llm-eval/protocol'
import type { Store } from '@llm-eval/store'
import type { WorkingJudge } from '../judging/create-judge.ts'
import { type ExecutionEvent, isExecutionEvent, type Watch } from '../judging/journal.ts'
import { isOver, toExecution } from '../judging/wire.ts'

/** Where the frames of a stream go. */
export interface Sink {
  readonly closed: boolean
  /** @param id the cursor to resume after; undefined where the stream cannot be resumed before its next frame */
  send(frame: ExecutionFrame, id: string | undefined): void
  /** Resolves when there is room for more, or the reader is gone. */
  drained(): Promise<void>
  /** Everything was said. */
  end(): void
  /** It ends early, and can be resumed. */
  cut(): void
  onClose(listener: () => void): void
}

/** What a stream follows. */
export interface Followed {
  projectId: number
  /** Of the journal. */
  epoch: string
  /** Ids of the executions by what events call them. */
  ids: ReadonlyMap<number, string>
  /** The place in the journal that the reader has seen everything up to; undefined begins with how things stand. */
  after: number | undefined
}

export interface FollowParts {
  store: Store
  judge: Pick<WorkingJudge, 'journal' | 'progress'>
  now: () => number
  onError: (error: unknown) => void
}

/** Events that may wait for a slow reader; one that falls further behind comes back with its cursor. */
const mostQueued = 10_000
const factsPage = 1_000

/** Tells one reader of some executions, from its cursor on, until all of them are over. */
export class ExecutionStream {
  readonly #parts: FollowParts
  readonly #followed: Followed
  readonly #sink: Sink
  readonly #open: Set<number>
  readonly #queue: ExecutionEvent[] = []
  #watch: Watch | undefined
  #position = 0
  #caughtUp = false
  #wake: () => void = () => undefined

  constructor(parts: FollowParts, followed: Followed, sink: Sink) {
    this.#parts = parts
    this.#followed = followed
    this.#sink = sink
    this.#open = new Set(followed.ids.keys())
  }

  /** The cursor that everything before was sent up to. */
  get cursor(): string {
    const isQuiet = this.#caughtUp && this.#queue.length === 0
    const seq = isQuiet ? Math.max(this.#position, this.#watch?.position ?? 0) : this.#position
    return this.#id(seq)
  }

  /** Runs to the end of the stream; never rejects. */
  async run(): Promise<void> {
    const { judge, onError } = this.#parts
    try {
      this.#sink.onClose(() => this.#stop())
      this.#watch = await judge.journal.watch(this.#followed.projectId, {
        refs: new Set(this.#followed.ids.keys()),
        onEvent: (event) => this.#take(event),
        onLost: () => this.#sink.cut(),
      })
      if (this.#sink.closed) return this.#stop()
      if (this.#followed.after === undefined) await this.#begin()
      else await this.#resume(this.#followed.after)
      this.#caughtUp = true
      await this.#live()
    } catch (error) {
      onError(error)
      this.#sink.cut()
    } finally {
      this.#stop()
    }
  }

  #stop(): void {
    this.#watch?.stop()
    this.#wake()
  }

  #take(event: ExecutionEvent): void {
    if (this.#queue.length >= mostQueued) return this.#sink.cut()
    this.#queue.push(event)
    this.#wake()
  }

  /** How each stands: the result of what is over, the progress of the rest. Only the last frame can be resumed after. */
  async #begin(): Promise<void> {
    const { store, judge } = this.#parts
    const { projectId, ids } = this.#followed
    const { seq } = await store.read(projectId, 'head', {})
    let last: ExecutionFrame | undefined
    for (const [ref, id] of ids) {
      const stored = await store.read(projectId, 'execution', { id })
      if (stored === null) {
        this.#open.delete(ref)
        continue
      }
      await this.#send(last, undefined)
      if (isOver(stored.status)) {
        this.#open.delete(ref)
        last = this.#ended(toExecution(stored))
      } else {
        const { done, total } = judge.progress(projectId, id) ?? { done: null, total: null }
        last = this.#progress(id, { status: stored.status, done, total })
      }
    }
    // Where nothing is to come, all that is in the journal was told: who comes back must not hear it again.
    const head = this.#open.size === 0 ? await store.read(projectId, 'head', {}) : { seq }
    this.#position = head.seq
    await this.#send(last, this.#id(head.seq))
  }

  /** What the reader missed, out of the journal. */
  async #resume(after: number): Promise<void> {
    const { store } = this.#parts
    const { projectId, ids } = this.#followed
    // Asked before the journal is read: the end of what is over by now is in it, and that of what ends later is to come.
    const over = await this.#over()
    this.#position = after
    for (;;) {
      const events = await store.read(projectId, 'facts', { after: this.#position, limit: factsPage })
      for (const event of events)
        if (isExecutionEvent(event) && ids.has(event.ref)) await this.#tell(event)
        else this.#position = event.seq
      if (events.length < factsPage || this.#sink.closed) break
    }
    // Of which the journal after the cursor tells no end: that was told before it.
    for (const ref of over) this.#open.delete(ref)
  }

  /** What has ended, or is gone. */
  async #over(): Promise<number[]> {
    const { projectId, ids } = this.#followed
    const over: number[] = []
    for (const [ref, id] of ids) {
      const stored = await this.#parts.store.read(projectId, 'execution', { id })
      if (stored === null || isOver(stored.status)) over.push(ref)
    }
    return over
  }

  async #live(): Promise<void> {
    while (!this.#sink.closed && this.#open.size > 0) {
      const event = this.#queue.shift()
      if (event) await this.#tell(event)
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
    if (!this.#sink.closed) this.#sink.end()
  }

  async #tell(event: ExecutionEvent): Promise<void> {
    const id = this.#followed.ids.get(event.ref)
    if (event.seq <= this.#position || id === undefined || !this.#open.has(event.ref)) return
    if (event.kind === 'execution_ended') {
      const stored = await this.#parts.store.read(this.#followed.projectId, 'execution', { id })
      this.#open.delete(event.ref)
      this.#position = event.seq
      if (stored !== null) await this.#send(this.#ended(toExecution(stored)), this.#id(event.seq))
      return
    }
    this.#position = event.seq
    await this.#send(this.#progress(id, event.data), this.#id(event.seq))
  }

  async #send(frame: ExecutionFrame | undefined, id: string | undefined): Promise<void> {
    if (frame === undefined) return
    await this.#sink.drained()
    if (!this.#sink.closed) this.#sink.send(frame, id)
  }

  #id(seq: number): string {
    return formatCursor({ epoch: this.#followed.epoch, seq })
  }

  #progress(execution_id: string, { status, done, total }: Omit<ExecutionProgress, 'execution_id'>): ExecutionFrame {
    return { event_type: 'progress', data: { execution_id, status, done, total }, timestamp: this.#timestamp() }
  }

  #ended(execution: Execution): ExecutionFrame {
    const event_type = execution.status === 'completed' ? 'result' : 'error'
    return { event_type, data: execution, timestamp: this.#timestamp() }
  }

  #timestamp(): string {
    return new Date(this.#parts.now()).toISOString()
  }
}
