import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { ConversationEventInput } from '@llm-eval/protocol'
import type { ConversationHold, Store } from '@llm-eval/store'

/** Milliseconds for which a server that died keeps others from its threads, and between two signs of life. */
const leaseMs = 15_000
const renewMs = 5_000

interface HeldThread {
  projectId: number
  threadId: string
}

/** What storing events does to the right to ask. */
export type HoldChange = (events: readonly ConversationEventInput[]) => ConversationHold | undefined

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
  readonly #held = new Set<HeldThread>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: HoldsOptions) {
    this.#options = options
    // One process has a data directory: who comes after it need not wait.
    const isAlone = options.store.driver === 'sqlite'
    this.#owner = isAlone ? 'the process' : `${hostname().slice(0, 60)}.${process.pid}.${randomUUID()}`
  }

  /** Keeps the right from when the first events are stored until those are that end the request, or until `drop`. */
  keep(thread: HeldThread): { holding: HoldChange; drop: () => void } {
    const owner = this.#owner
    let isTaken = false
    const holding: HoldChange = (events) => {
      if (!isTaken) {
        isTaken = true
        this.#add(thread)
        return { kind: 'take', owner, until: this.#options.now() + leaseMs }
      }
      return events.some(({ kind }) => kind === 'run_end') ? { kind: 'release', owner } : undefined
    }
    return { holding, drop: () => this.#drop(thread) }
  }

  #add(thread: HeldThread): void {
    this.#held.add(thread)
    // Where it cannot be kept, nothing can be stored either, which whoever stores is told.
    this.#timer ??= setInterval(() => void this.#renew().catch(() => undefined), this.#options.everyMs ?? renewMs)
    this.#timer.unref()
  }

  #drop(thread: HeldThread): void {
    this.#held.delete(thread)
    if (this.#held.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #renew(): Promise<void> {
    const { now, store } = this.#options
    for (const [projectId, threads] of Map.groupBy(this.#held, (thread) => thread.projectId)) {
      const threadIds = threads.map(({ threadId }) => threadId)
      await store.apply(projectId, { kind: 'holdConversations', threadIds, owner: this.#owner, until: now() + leaseMs })
    }
  }
}
