/** How many items were finished at a moment, in milliseconds. */
interface Sample {
  at: number
  completed: number
}

/** How fast a run goes: what was counted over the last half minute, oldest first. */
export type Pace = readonly Sample[]

const windowMs = 30_000
/** Samples closer than this say nothing of their own. */
const apartMs = 250
/** Less time than this says nothing about the next. */
const leastMs = 1_500

/** Takes one more count. A count that falls (items were erased, or asked again) begins anew. */
export function observe(pace: Pace, sample: Sample): Pace {
  const last = pace.at(-1)
  if (last && sample.completed < last.completed) return [sample]
  const kept = pace.filter(({ at }) => at >= sample.at - windowMs)
  const before = kept.at(-2)
  return before && sample.at - before.at < apartMs ? [...kept.slice(0, -1), sample] : [...kept, sample]
}

/** Items per second of late; null while too little was seen, or nothing was finished. */
export function perSecond(pace: Pace, now: number): number | null {
  const [first, last] = [pace[0], pace.at(-1)]
  if (!first || !last) return null
  const ms = Math.max(now, last.at) - first.at
  const done = last.completed - first.completed
  return ms < leastMs || done === 0 ? null : (done * 1_000) / ms
}

/** What is known of a run that goes on. */
export interface Underway {
  total_items: number | null
  completed_items: number
  /** Time that it was worked on when it was read. */
  duration_ms: number | null
}

/**
 * Milliseconds until a run is through, at the speed of its last items, or of all of them while those are too few to say.
 * Null: nobody knows.
 */
export function remainingMs(
  { total_items: total, completed_items: done, duration_ms: worked }: Underway,
  lately: number | null,
): number | null {
  if (total === null) return null
  if (done >= total) return 0
  const rate = lately ?? (worked !== null && worked >= leastMs && done > 0 ? (done * 1_000) / worked : null)
  return rate === null ? null : ((total - done) * 1_000) / rate
}
