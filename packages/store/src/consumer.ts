import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import type { CommitBell } from './follow.ts'
import { foldRollups } from './rollups.ts'
import { TokenSet, tokenPieces } from './search.ts'
import type { Effect, Store, StoredEvent } from './store.ts'

/** How long a consumer's right lasts without being renewed, in milliseconds. */
const leaseMs = 10_000
/** Milliseconds until something that failed is tried again. */
const restMs = 1_000
/** Events of one step. */
const stepEvents = 1_000
/** Milliseconds between two steps that had all there was: each is a commit of its own, which others wait for. */
const gatherMs = 100
/** Bytes of the texts that one step of the search index reads. */
const stepTextBytes = 8 * 1024 * 1024

/** What a consumer makes of a page of events. */
export interface Digest {
  effects: Effect[]
  /** Sequence number of the last event that is in it; what comes after is read again by the next step. */
  to: number
}

export interface ConsumerOptions {
  name: string
  /** This process; another one takes over when the lease runs out. */
  owner: string
  signal: AbortSignal
  now: () => number
  onError: (error: unknown) => void
  /** Where it begins in projects that are there when it is new: with their first event, or after what they hold. Default `start`. */
  begin?: 'start' | 'end'
  /** What a page of events means; written in the transaction that moves the consumer on. */
  digest: (events: readonly StoredEvent[], projectId: number) => Promise<Digest>
}

/** What a consumer needs of a store. */
export type ConsumedStore = Pick<Store, 'read' | 'apply'>

/** Where a consumer stands in a project, as long as the right to it lasts. */
interface Hold {
  seq: number
  until: number
}

/** How far a step came: to the end of what there was, or there is more. */
type Reached = 'nothing' | 'part' | 'end'

/** A follower whose place is durable: every event takes effect exactly once, whatever crashes. Runs until the signal aborts. */
export async function consume(store: ConsumedStore, bell: CommitBell, options: ConsumerOptions): Promise<void> {
  const { name, owner, signal } = options
  const holds = new Map<number, Hold>()
  if (options.begin === 'end') await beginAtEnd(store, options)
  const resting = new Map<number, number>()
  while (!signal.aborted) {
    // Listening starts before looking, so a commit in between is not slept through.
    const rung = bell.any(signal)
    let reached: Reached = 'nothing'
    try {
      for (const projectId of await findWork(store, options, resting)) {
        if (signal.aborted) break
        const here = await attempt(store, options, { projectId, holds, resting })
        if (here !== 'nothing' && reached !== 'part') reached = here
      }
    } catch (error) {
      if (signal.aborted) break
      options.onError(error)
      await delay(restMs, undefined, { signal }).catch(() => undefined)
    }
    if (reached === 'nothing') await rung
    else if (reached === 'end') await delay(gatherMs, undefined, { signal }).catch(() => undefined)
  }
  // Let go, so that whoever comes next need not wait for the lease to run out.
  const release = { kind: 'claimConsumer', name, owner, at: 0, leaseMs: 0 } as const
  for (const projectId of holds.keys()) await store.apply(projectId, release).catch(options.onError)
}

/** Takes its place in every project there is: in one that is made later it misses nothing. */
async function beginAtEnd(store: ConsumedStore, options: ConsumerOptions): Promise<void> {
  const { name, owner, now, signal } = options
  while (!signal.aborted) {
    try {
      for (const { id } of await store.read(1, 'projects', {}))
        await store.apply(id, { kind: 'claimConsumer', name, owner, at: now(), leaseMs: 0, begin: 'end' })
      return
    } catch (error) {
      if (signal.aborted) return
      options.onError(error)
      await delay(restMs, undefined, { signal }).catch(() => undefined)
    }
  }
}

/** Projects with something to read that did not fail just now. */
async function findWork(
  store: ConsumedStore,
  { name, owner, now }: ConsumerOptions,
  resting: Map<number, number>,
): Promise<number[]> {
  const at = now()
  const behind = await store.read(1, 'behind', { consumer: name, owner, at })
  return behind.filter((projectId) => (resting.get(projectId) ?? 0) <= at)
}

/** A step that may fail: the project rests a while then, and the others go on. */
async function attempt(
  store: ConsumedStore,
  options: ConsumerOptions,
  at: { projectId: number; holds: Map<number, Hold>; resting: Map<number, number> },
): Promise<Reached> {
  try {
    return await step(store, options, at)
  } catch (error) {
    if (options.signal.aborted) return 'nothing'
    at.holds.delete(at.projectId)
    at.resting.set(at.projectId, options.now() + restMs)
    options.onError(error)
    return 'nothing'
  }
}

async function step(
  store: ConsumedStore,
  options: ConsumerOptions,
  at: { projectId: number; holds: Map<number, Hold> },
): Promise<Reached> {
  const { name, owner } = options
  const { projectId, holds } = at
  const hold = await keepHold(store, options, at)
  if (!hold) return 'nothing'
  const events = await store.read(projectId, 'facts', { after: hold.seq, limit: stepEvents })
  if (events.length === 0) return 'nothing'
  const { effects, to } = await options.digest(events, projectId)
  const moved = await store.apply(projectId, { kind: 'advanceConsumer', name, owner, from: hold.seq, to, effects })
  if (!moved.advanced) {
    holds.delete(projectId)
    return 'nothing'
  }
  hold.seq = to
  return events.length < stepEvents && to === events.at(-1)?.seq ? 'end' : 'part'
}

/** The right to consume, renewed when half of it is over. */
async function keepHold(
  store: ConsumedStore,
  { name, owner, now }: ConsumerOptions,
  { projectId, holds }: { projectId: number; holds: Map<number, Hold> },
): Promise<Hold | undefined> {
  const held = holds.get(projectId)
  const at = now()
  if (held && held.until - at > leaseMs / 2) return held
  const claim = await store.apply(projectId, { kind: 'claimConsumer', name, owner, at, leaseMs })
  const hold = claim ? { seq: claim.seq, until: at + leaseMs } : undefined
  if (hold) holds.set(projectId, hold)
  else holds.delete(projectId)
  return hold
}

/** Per-minute counts and latency histograms, for plots over time. */
export async function digestRollups(events: readonly StoredEvent[]): Promise<Digest> {
  return { effects: [{ kind: 'rollups', rows: foldRollups(events) }], to: events.at(-1)?.seq ?? 0 }
}

/** The full-text index of a driver that keeps it in the same database. */
export function digestTexts(store: Pick<Store, 'read'>): ConsumerOptions['digest'] {
  return async (events, projectId) => {
    // By these alone: executions are named by numbers of their own, which may be the same.
    const refs = events.map((e) => (e.kind === 'trace_created' || e.kind === 'trace_updated' ? e.ref : null))
    const changed = [...new Set(refs)].filter((ref) => ref !== null)
    const { texts, left } = await store.read(projectId, 'searchTexts', { refs: changed, bytes: stepTextBytes })
    // What did not fit waits for the next step, with all events from there on.
    const late = new Set(left)
    const cut = refs.findIndex((ref) => ref !== null && late.has(ref))
    const read = cut < 0 ? events : events.slice(0, cut)
    const removed = read.flatMap((event) => (event.kind === 'trace_deleted' ? event.ref : []))
    const documents: { ref: number; tokens: string[] }[] = []
    for (const { ref, text } of texts) {
      const tokens = new TokenSet()
      for (const piece of tokenPieces(text)) {
        tokens.add(piece)
        // Requests are answered in between.
        await nextTurn()
      }
      documents.push({ ref, tokens: tokens.all })
    }
    return { effects: [{ kind: 'index', documents, removed }], to: read.at(-1)?.seq ?? 0 }
  }
}
