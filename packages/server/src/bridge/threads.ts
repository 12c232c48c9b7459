import { Failure, limits } from '@llm-eval/protocol'
import type { Store, StoredConversationEvent } from '@llm-eval/store'
import { type Keeper, type KeptThread, keyOfThread, type ThreadPlace } from '../recording/forgetting.ts'
import { type Hold, Holds, type HoldsOptions } from './holds.ts'

/** What the bridge knows of a thread. */
export interface KnownThread {
  /** Ids of messages of users that the agent got. */
  seen: Set<string>
  /** State that the agent has, as far as it is known. */
  state: Record<string, unknown>
  /** Of an agent's server that names its sessions itself. */
  sessionId: string | null
  /** Place of the last event of which this was made; another one was told by somebody else. */
  last: number
}

/** A thread while a request of it is under way: nobody else's can begin. */
export interface HeldThread {
  /**
   * What is known of it now.
   *
   * @throws {Failure} `conversation_deleted`
   */
  recall: () => Promise<KnownThread>
  /** For what is stored of the request. */
  hold: Hold
  release: () => void
}

interface Holding {
  gone: () => boolean
  over: Promise<void>
}

/** Milliseconds for which a request waits for an earlier one whose front end is gone. */
const patienceMs = 10_000

/**
 * The threads of the bridge. Of one no second request begins before the first one ends: here that is refused at once, on another
 * server when it is stored. What is known of the newest ones is in memory; of others, and of those of which another server or
 * somebody else told more, it is read from what was recorded, so that it outlives the process.
 */
export class Threads implements Keeper {
  readonly #store: Store
  readonly #holds: Holds
  readonly #known = new Map<string, KnownThread>()
  readonly #held = new Map<string, Holding>()

  constructor(options: HoldsOptions & { store: Store }) {
    this.#store = options.store
    this.#holds = new Holds(options)
  }

  /**
   * Holds a thread until it is released.
   *
   * @param gone whether its front end is gone, so that the request ends soon
   * @throws {Failure} `conversation_busy`
   */
  async hold(place: ThreadPlace, gone: () => boolean): Promise<HeldThread> {
    const key = keyOfThread(place)
    const earlier = this.#held.get(key)
    if (earlier) {
      if (!earlier.gone() || !(await within(earlier.over, patienceMs)) || this.#held.has(key))
        throw new Failure('conversation_busy', { retryAfter: 1 })
    }
    const { promise: over, resolve } = Promise.withResolvers<void>()
    this.#held.set(key, { gone, over })
    const hold = this.#holds.keep(place)
    const release = () => {
      hold.drop()
      this.#held.delete(key)
      resolve()
    }
    const recall = async () => {
      const known = await this.#recall(place, this.#known.get(key))
      this.#remember(key, known)
      return known
    }
    return { recall, hold, release }
  }

  /** But for those that are held: the first events of a thread may not be stored yet. */
  kept(): readonly KeptThread[] {
    return [...this.#known.keys()].filter((key) => !this.#held.has(key)).map(threadOf)
  }

  /** A request that is under way knows what it knew; its events are refused. */
  forget(place: ThreadPlace): void {
    this.#known.delete(keyOfThread(place))
  }

  /** Nothing goes for its age alone: a front end may wait for long between two messages. */
  tidy(): void {}

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
  async #recall({ projectId, threadId }: ThreadPlace, kept: KnownThread | undefined): Promise<KnownThread> {
    const found = await this.#store.read(projectId, 'conversation', { threadId })
    if (found === 'deleted') throw new Failure('conversation_deleted')
    if (kept && kept.last === (found?.events ?? 0)) return kept
    const known: KnownThread = { seen: new Set(), state: {}, sessionId: null, last: found?.events ?? 0 }
    if (found === null) return known
    const said: Said = { runId: null, ids: [] }
    for (let after = 0; ; ) {
      const asked = { ref: found.ref, after, limit: 1_000, bytes: 4 * 1024 * 1024 }
      const { events, more } = await this.#store.read(projectId, 'conversationEvents', asked)
      for (const event of events) {
        after = event.seq
        take(known, event, said)
      }
      if (!more) return known
    }
  }
}

/** Of what `keyOfThread` made. */
function threadOf(key: string): KeptThread {
  const end = key.indexOf('\n')
  return { projectId: Number(key.slice(0, end)), threadId: key.slice(end + 1), ref: null }
}

/** Ids of messages of a request of which nothing is known yet. */
interface Said {
  runId: string | null
  ids: string[]
}

function take(known: KnownThread, { kind, payload, runId }: StoredConversationEvent, said: Said): void {
  // That somebody answered shows that the agent has heard it.
  if (kind === 'adk_event' || kind === 'agui_event') for (const id of said.ids.splice(0)) known.seen.add(id)
  if (kind === 'run_start') {
    // The same request begins once more when its session has an id.
    if (runId !== said.runId) said.ids.length = 0
    said.runId = runId
    known.sessionId = textIn(payload, 'session_id') ?? known.sessionId
  }
  const id = kind === 'user_message' ? textIn(payload, 'id') : undefined
  if (id !== undefined) said.ids.push(id)
}

function textIn(payload: string, name: string): string | undefined {
  const value: unknown = JSON.parse(payload)
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  const text: unknown = Object.entries(value).find(([key]) => key === name)?.[1]
  return typeof text === 'string' ? text : undefined
}

async function within(promise: Promise<void>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>()
  const timer = setTimeout(() => resolve(false), ms)
  return Promise.race([promise.then(() => true), late]).finally(() => clearTimeout(timer))
}
