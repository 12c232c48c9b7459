import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { ConversationEventInput } from '@llm-eval/protocol'
import type { ConversationHold, Store } from '@llm-eval/store'
import type { ThreadPlace } from '../recording/forgetting.ts'

/** Milliseconds for which a server that died keeps others from its threads, and between two signs of life. */
const leaseMs = 15_000
const renewMs = 5_000

interface Held extends ThreadPlace {
  lost: AbortController
}

/** The right to ask the agent of a thread. */
export interface Hold {
  /**
   * Stores events of a request with `append`, which is told what they do to the right, and throws where somebody else has it: the
   * first ones take it, the others keep it, and those that end the request give it back.
   */
  store: <T>(told: ToStore, append: (hold: ConversationHold) => Promise<T>) => Promise<T>
  /** Aborted when somebody else took it, as this server was not heard of for too long. */
  lost: AbortSignal
  drop: () => void
}

interface ToStore {
  events: readonly ConversationEventInput[]
  /** Place of the last event of the thread that was read; 0 where there is none. */
  last: number
}

export interface HoldsOptions {
  store: Pick<Store, 'apply' | 'driver'>
  /** Milliseconds since 1970. */
  now: () => number
  /** Milliseconds between two signs of life; 5,000 unless said. */
  everyMs?: number | undefined
}

/**
 * The right to ask the agents of threads, which one server has at a time. It is taken with the message of the user, in the same
 * commit, and given back with the end of the request.
 */
export class Holds {
  readonly #options: HoldsOptions
  readonly #owner: string
  readonly #held = new Set<Held>()
  /** Projects whose rights are renewed at the moment. */
  readonly #renewing = new Set<number>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: HoldsOptions) {
    this.#options = options
    // One process has a data directory: who comes after it need not wait.
    const isAlone = options.store.driver === 'sqlite'
    this.#owner = isAlone ? 'the process' : `${hostname().slice(0, 60)}.${process.pid}.${randomUUID()}`
  }

  /** Keeps the right from when the first events are stored until those are that end the request, or until `drop`. */
  keep({ projectId, threadId }: ThreadPlace): Hold {
    const owner = this.#owner
    const held: Held = { projectId, threadId, lost: new AbortController() }
    let isTaken = false
    const store: Hold['store'] = async ({ events, last }, append) => {
      const until = this.#options.now() + leaseMs
      if (isTaken) {
        const ends = events.some(({ kind }) => kind === 'run_end')
        return append(ends ? { kind: 'release', owner } : { kind: 'keep', owner, until })
      }
      const stored = await append({ kind: 'take', owner, until, last })
      isTaken = true
      this.#add(held)
      return stored
    }
    return { store, lost: held.lost.signal, drop: () => this.#drop(held) }
  }

  #add(held: Held): void {
    this.#held.add(held)
    this.#timer ??= setInterval(() => this.#renewAll(), this.#options.everyMs ?? renewMs)
    this.#timer.unref()
  }

  #drop(held: Held): void {
    this.#held.delete(held)
    if (this.#held.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Each project by itself, so that one that cannot be written to stops no other. */
  #renewAll(): void {
    for (const [projectId, threads] of Map.groupBy(this.#held, (held) => held.projectId)) {
      if (this.#renewing.has(projectId)) continue
      this.#renewing.add(projectId)
      this.#renew(projectId, threads)
        // Where it cannot be kept, nothing can be stored either, which whoever stores is told.
        .catch(() => undefined)
        .finally(() => this.#renewing.delete(projectId))
    }
  }

  async #renew(projectId: number, threads: readonly Held[]): Promise<void> {
    const { now, store } = this.#options
    const [threadIds, until] = [threads.map(({ threadId }) => threadId), now() + leaseMs]
    const { held } = await store.apply(projectId, { kind: 'holdConversations', threadIds, owner: this.#owner, until })
    const own = new Set(held)
    for (const thread of threads) if (!own.has(thread.threadId)) thread.lost.abort()
  }
}
