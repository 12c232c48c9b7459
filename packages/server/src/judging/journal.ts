import { setTimeout as pause } from 'node:timers/promises'
import type { Store, StoredEvent } from '@llm-eval/store'

/** What the journal tells of an execution. */
export type ExecutionEvent = Extract<
  StoredEvent,
  { kind: 'execution_started' | 'execution_progress' | 'execution_ended' }
>

/** Somebody who wants to know of some executions. */
export interface Watcher {
  /** Names of the executions in events. */
  refs: ReadonlySet<number>
  /** Called in the order of the journal. */
  onEvent(event: ExecutionEvent): void
  /** Called once: the journal cannot be read, and nothing more will come. */
  onLost(): void
}

export interface Watch {
  /** Of the last event that the watcher was told of, or passed over because it is of others. */
  readonly position: number
  stop(): void
}

/** The only events that are about executions; for those who read the journal themselves. */
export function isExecutionEvent(event: StoredEvent): event is ExecutionEvent {
  return event.kind.startsWith('execution_')
}

/** Tells of executions that run in any process: one reader of the journal per project, while somebody listens. */
export class ExecutionJournal {
  readonly #store: Store
  readonly #onError: (error: unknown) => void
  readonly #readers = new Map<number, Reader>()

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store
    this.#onError = onError
  }

  /** Tells of what happens from now on; what is in the journal up to `position` was there before. */
  async watch(projectId: number, watcher: Watcher): Promise<Watch> {
    const reader = this.#readers.get(projectId) ?? this.#open(projectId)
    // At once: a reader that nobody listens to any more ends.
    const watch = reader.add(watcher)
    try {
      await reader.begun
      return watch
    } catch (error) {
      watch.stop()
      throw error
    }
  }

  close(): void {
    for (const reader of this.#readers.values()) reader.close()
  }

  #open(projectId: number): Reader {
    const reader = new Reader({
      store: this.#store,
      projectId,
      onEnd: (error) => {
        if (this.#readers.get(projectId) === reader) this.#readers.delete(projectId)
        if (error !== undefined) this.#onError(error)
      },
    })
    this.#readers.set(projectId, reader)
    return reader
  }
}

interface ReaderOptions {
  store: Store
  projectId: number
  /** It ended: nobody listens any more, or, with an error, it could not go on. */
  onEnd: (error?: unknown) => void
}

class Reader {
  /** Resolves once it is known where it begins. */
  readonly begun: Promise<void>
  readonly #options: ReaderOptions
  readonly #watchers = new Set<Watcher>()
  readonly #reading = new AbortController()
  #position = 0

  constructor(options: ReaderOptions) {
    this.#options = options
    this.begun = this.#begin()
  }

  add(watcher: Watcher): Watch {
    this.#watchers.add(watcher)
    const position = () => this.#position
    return {
      get position() {
        return position()
      },
      stop: () => {
        this.#watchers.delete(watcher)
        if (this.#watchers.size === 0) this.close()
      },
    }
  }

  close(): void {
    this.#reading.abort()
    this.#options.onEnd()
  }

  async #begin(): Promise<void> {
    const { store, projectId, onEnd } = this.#options
    try {
      const { seq } = await store.read(projectId, 'head', {})
      this.#position = seq
    } catch (error) {
      onEnd()
      throw error
    }
    void this.#read()
  }

  async #read(): Promise<void> {
    const { store, projectId, onEnd } = this.#options
    const { signal } = this.#reading
    try {
      for await (const { events } of store.follow(projectId, this.#position, { signal })) {
        for (const event of events) {
          if (isExecutionEvent(event)) this.#tell(event)
          this.#position = event.seq
        }
        // What comes meanwhile is read together.
        await pause(10, undefined, { signal, ref: false }).catch(() => undefined)
      }
    } catch (error) {
      if (signal.aborted) return
      onEnd(error)
      for (const watcher of this.#watchers) watcher.onLost()
    }
  }

  #tell(event: ExecutionEvent): void {
    for (const watcher of this.#watchers) if (watcher.refs.has(event.ref)) watcher.onEvent(event)
  }
}
