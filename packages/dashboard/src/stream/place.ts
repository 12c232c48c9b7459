import { parseCursor } from '@llm-eval/protocol'

/** A place in the journal of a project, which other projects' journals do not have: each counts by itself. */
export interface Place {
  project: string
  cursor: string
}

/** Reads what the server said of the journal when it delivered the page: the cursor, and the project as in an address. */
export function readPlace(text: string): Place | null {
  const [cursor = '', written = ''] = text.split(' ')
  if (!parseCursor(cursor) || written === '') return null
  try {
    return { project: decodeURIComponent(written), cursor }
  } catch {
    return null
  }
}

/** Whether a stream that has told everything up to one place still tells whatever comes after another one. */
export function tellsAfter(told: Place | null, place: Place | null): boolean {
  if (told === null || place === null || told.project !== place.project) return false
  const [from, to] = [parseCursor(told.cursor), parseCursor(place.cursor)]
  return from !== undefined && to !== undefined && from.epoch === to.epoch && from.seq <= to.seq
}

/**
 * Where the journal stood when the server delivered this page; null where it did not say so to this reader, or where the
 * browser does not tell (an older one, or one without an encrypted way to the server).
 */
export function placeOfPage(page: Performance): Place | null {
  const [entry] = page.getEntriesByType('navigation')
  // A page out of the browser's own cache is of any age: what happened since may be more than is worth being told.
  if (!(entry instanceof PerformanceNavigationTiming) || entry.transferSize === 0) return null
  if (!('serverTiming' in entry)) return null
  const said = entry.serverTiming.find(({ name }) => name === 'journal')
  return said ? readPlace(said.description) : null
}
