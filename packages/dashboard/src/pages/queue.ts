import type { ReviewStatus } from '@llm-eval/protocol'
import type { Decision } from './decision.ts'

/** What was decided, and how to take it back. */
export interface Done {
  traceId: string
  status: ReviewStatus
  /** The version that the decision made; taking it back is refused when somebody decided since. */
  version: number
  before: Decision
}

/** A run through the pending traces. The order stays as it was, so that going back finds what was seen. */
export interface Queue {
  ids: readonly string[]
  /** Where the reviewer is; `ids.length` is past the end. */
  at: number
  done: readonly Done[]
  skipped: ReadonlySet<string>
}

export const emptyQueue: Queue = { ids: [], at: 0, done: [], skipped: new Set() }

/** Adds what further pages brought, at the end. */
export function extend(queue: Queue, ids: readonly string[]): Queue {
  const known = new Set(queue.ids)
  const added = ids.filter((id) => !known.has(id))
  return added.length === 0 ? queue : { ...queue, ids: [...queue.ids, ...added] }
}

export function step(queue: Queue, by: 1 | -1): Queue {
  return { ...queue, at: Math.max(0, Math.min(queue.ids.length, queue.at + by)) }
}

/** Moves on to the next that waits for a verdict. */
export function advance(queue: Queue, waits: (id: string) => boolean): Queue {
  const decided = new Set(queue.done.map(({ traceId }) => traceId))
  let at = queue.at + 1
  while (at < queue.ids.length && !(waits(queue.ids[at] ?? '') && !decided.has(queue.ids[at] ?? ''))) at++
  return { ...queue, at: Math.min(at, queue.ids.length) }
}

export function skip(queue: Queue, waits: (id: string) => boolean): Queue {
  const id = queue.ids[queue.at]
  return advance(id === undefined ? queue : { ...queue, skipped: new Set([...queue.skipped, id]) }, waits)
}

/** Notes a decision, to count it and to be able to take it back. */
export function decided(queue: Queue, done: Done): Queue {
  const skipped = new Set([...queue.skipped].filter((id) => id !== done.traceId))
  return { ...queue, done: [...queue.done, done], skipped }
}

/** Goes back to the trace of the last decision, which then waits again. */
export function undone(queue: Queue): Queue {
  const last = queue.done.at(-1)
  if (!last) return queue
  const at = queue.ids.indexOf(last.traceId)
  return { ...queue, done: queue.done.slice(0, -1), at: at < 0 ? queue.at : at }
}

/** Starts over with what was skipped. */
export function backToSkipped(queue: Queue): Queue {
  return { ...queue, ids: [...queue.skipped], at: 0, skipped: new Set() }
}

/** How many of the run were decided which way; a trace counts once, by its last decision. */
export function tally(queue: Queue): { decided: number; accepted: number; rejected: number } {
  const last = new Map(queue.done.map(({ traceId, status }) => [traceId, status]))
  const count = (wanted: ReviewStatus): number => [...last.values()].filter((status) => status === wanted).length
  const accepted = count('accepted')
  const rejected = count('rejected')
  return { decided: accepted + rejected, accepted, rejected }
}
