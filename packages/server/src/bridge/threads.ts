import { type ConversationEvent, Failure, limits } from '@llm-eval/protocol'
import type { Store } from '@llm-eval/store'

/** What the bridge knows of a thread. */
export interface KnownThread {
  /** Ids of messages of users that the agent got. */
  seen: Set<string>
  /** State that the agent has, as far as it is known. */
  state: Record<string, unknown>
  /** Of an agent's server that names its sessions itself. */
  sessionId: string | null
}

/** A thread while a request of it is under way: nobody else's can begin. */
export interface HeldThread {
  known: KnownThread
  /** Whether its front end is gone, so that it ends soon. */
  gone: () => boolean
  release: () => void
}

interface Holding {
  gone: () => boolean
  over: Promise<void>
}

/** Milliseconds for which a request waits for an earlier one whose front end is gone. */
const patienceMs = 10_000

/**
 * The threads of the bridge. What is known of the newest ones is in memory; of others it is read from what was recorded, so that
 * it outlives the process.
 */
export class Threads {
  readonly #store: Store
  readonly #known = new Map<string, KnownThread>()
  readonly #held = new Map<string, Holding>()

  constructor(store: Store) {
    this.#store = store
  }

  /**
   * Holds a thread until it is released.
   *
   * @throws {Failure} `conversation_busy`, `conversation_deleted`
   */
  async hold(projectId: number, threadId: string, gone: () => boolean): Promise<HeldThread> {
    const key = `${projectId}\n${threadId}`
    const earlier = this.#held.get(key)
    if (earlier) {
      if (!earlier.gone() || !(await within(earlier.over, patienceMs)) || this.#held.has(key))
        throw new Failure('conversation_busy', { retryAfter: 1 })
    }
    const { promise: over, resolve } = Promise.withResolvers<void>()
    this.#held.set(key, { gone, over })
    const release = () => {
      this.#held.delete(key)
      resolve()
    }
    try {
      const known = this.#known.get(key) ?? (await this.#recall(projectId, threadId))
      this.#remember(key, known)
      return { known, gone, release }
    } catch (error) {
      release()
      throw error
    }
  }

  /** The newest is the last. */
  #remember(key: string, known: KnownThread): void {
    this.#known.delete(key)
    this.#known.set(key, known)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= limits.bridgeThreads) return
      this.#known.delete(oldest)
    }
  }

  /** What was recorded says what the agent heard, and in which session. */
  async #recall(projectId: number, threadId: string): Promise<KnownThread> {
    const known: KnownThread = { seen: new Set(), state: {}, sessionId: null }
    const found = await this.#store.read(projectId, 'conversation', { threadId })
    if (found === 'deleted') throw new Failure('conversation_deleted')
    if (found === null) return known
    for (let after = 0; ; ) {
      const asked = { ref: found.ref, after, limit: 1_000, bytes: 4 * 1024 * 1024 }
      const { events, more } = await this.#store.read(projectId, 'conversationEvents', asked)
      for (const { seq, kind, payload } of events) {
        after = seq
        if (kind === 'user_message') take(known, { kind, payload: JSON.parse(payload) })
        if (kind === 'run_start') take(known, { kind, payload: JSON.parse(payload) })
      }
      if (!more) return known
    }
  }
}

type Told = Pick<ConversationEvent<'user_message' | 'run_start'>, 'kind' | 'payload'>

function take(known: KnownThread, { kind, payload }: { kind: Told['kind']; payload: unknown }): void {
  if (typeof payload !== 'object' || payload === null) return
  if (kind === 'user_message' && 'id' in payload && typeof payload.id === 'string') known.seen.add(payload.id)
  if (kind === 'run_start' && 'session_id' in payload && typeof payload.session_id === 'string')
    known.sessionId = payload.session_id
}

async function within(promise: Promise<void>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>()
  const timer = setTimeout(() => resolve(false), ms)
  return Promise.race([promise.then(() => true), late]).finally(() => clearTimeout(timer))
}
