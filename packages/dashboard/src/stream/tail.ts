import type { TraceSummary } from '@llm-eval/protocol'
import { type Changes, reviseRows } from './changes.ts'

/** The newest traces, newest first, and what the reader sees of them. */
export interface Tail {
  /** What came by the stream since the last gap. */
  streamed: readonly TraceSummary[]
  /** What the server listed before that. */
  listed: readonly TraceSummary[]
  /** Both, as far as there is room. */
  rows: readonly TraceSummary[]
  /** What is shown while the reader holds the tail still; null: `rows` are shown. */
  held: readonly TraceSummary[] | null
  /** How many came since it is held. */
  waiting: number
}

/** Rows kept. */
export const tailRows = 2_000

export const emptyTail: Tail = { streamed: [], listed: [], rows: [], held: null, waiting: 0 }

/** What is on the screen. */
export function shownRows(tail: Tail): readonly TraceSummary[] {
  return tail.held ?? tail.rows
}

/** Puts new traces on top and brings the others up to date. While held, what is shown neither grows nor moves. */
export function arrive(tail: Tail, changes: Changes): Tail {
  const fresh = reviseRows(changes.created, changes)
  const streamed = reviseRows(tail.streamed, changes)
  const listed = reviseRows(tail.listed, changes)
  const held = tail.held && reviseRows(tail.held, changes)
  if (fresh.length === 0 && streamed === tail.streamed && listed === tail.listed && held === tail.held) return tail
  const floor = floorOf(listed)
  const shown = new Set(tail.rows.map((row) => row.ref))
  const waiting = held ? tail.waiting + fresh.filter(({ ref }) => ref >= floor && !shown.has(ref)).length : 0
  return join({ streamed: [...[...fresh].reverse(), ...streamed], listed, held, waiting })
}

/** Takes what the server listed. Rows that came by the stream meanwhile stay, once: those that the list lacks on top. */
export function seed(tail: Tail, listed: readonly TraceSummary[]): Tail {
  const latest = new Map(listed.map((row) => [row.ref, row]))
  const held = tail.held && tail.held.map((row) => latest.get(row.ref) ?? row)
  return join({ ...tail, listed, held })
}

/** Frames are missing: the next list replaces what came before. Until then the old rows stay on the screen. */
export function gap(tail: Tail): Tail {
  return { ...tail, streamed: [], listed: tail.rows }
}

/** Stops what is shown. */
export function hold(tail: Tail): Tail {
  return tail.held ? tail : { ...tail, held: tail.rows, waiting: 0 }
}

/** Lets what came meanwhile in. */
export function release(tail: Tail): Tail {
  return tail.held ? { ...tail, held: null, waiting: 0 } : tail
}

/** The stream tells also of some traces that were stored before the list was read: these are not newer than it. */
function join(tail: Omit<Tail, 'rows'>): Tail {
  const streamed = tail.streamed.slice(0, tailRows)
  const latest = new Map(streamed.map((row) => [row.ref, row]))
  const listed = tail.listed.map((row) => latest.get(row.ref) ?? row)
  for (const { ref } of listed) latest.delete(ref)
  const floor = floorOf(listed)
  const others = [...latest.values()]
  const above = others.filter(({ ref }) => ref >= floor)
  const below = others.filter(({ ref }) => ref < floor)
  return { ...tail, streamed, rows: [...above, ...listed, ...below].slice(0, tailRows) }
}

/** What was stored before everything that is listed has fallen out of the list already, or had no place in it. */
function floorOf(listed: readonly TraceSummary[]): number {
  return listed.reduce((least, { ref }) => Math.min(least, ref), listed[0]?.ref ?? 0)
}
