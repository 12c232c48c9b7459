// How conversations are put into words: the same whether events are counted as they come, or all of them are read.

/** Characters. */
const titleChars = 100
const errorChars = 2_000

/** The title that a thread has from the first words of a user: on one line, at most 100 characters. Empty where they say nothing. */
export function titleOf(words: string): string {
  return words.replace(/\s+/g, ' ').trim().slice(0, titleChars)
}

/**
 * What went wrong, by its code and its message: at most 2,000 characters.
 *
 * @param words as they came; what is no text is passed over
 * @returns null where nobody says anything
 */
export function errorOf(...words: unknown[]): string | null {
  const said = words.filter((word) => typeof word === 'string' && word !== '').join(': ')
  return said === '' ? null : said.slice(0, errorChars)
}

/**
 * How a request came out that ended with AG-UI's RUN_FINISHED: `waiting` where its agent waits for somebody's answer, or for results
 * of tools.
 *
 * @param outcome of the event, as it came; one that says nothing is `finished`
 */
export function statusOfOutcome(outcome: unknown): 'finished' | 'waiting' | 'cancelled' {
  if (typeof outcome !== 'object' || outcome === null) return 'finished'
  const type: unknown = 'type' in outcome ? outcome.type : undefined
  if (type === 'cancelled') return 'cancelled'
  const pending: unknown = 'pendingToolCallIds' in outcome ? outcome.pendingToolCallIds : undefined
  return type === 'interrupt' || (Array.isArray(pending) && pending.length > 0) ? 'waiting' : 'finished'
}

/** Seconds from the first event of a thread to its last; null where both were told at one time, or a time is none. Takes milliseconds. */
export function durationSeconds(from: number, to: number): number | null {
  return to > from ? (to - from) / 1_000 : null
}
