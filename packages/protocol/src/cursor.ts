/**
 * A place in a project's journal. On the wire it is the opaque text `epoch.seq`: the epoch names one life of the
 * journal (a restored backup gets a new one), the sequence number has no gaps in commit order.
 */
export interface Cursor {
  epoch: string
  seq: number
}

const pattern = /^([0-9a-z]{1,32})\.(0|[1-9][0-9]{0,15})$/

/** Writes a cursor as it stands in `id:`, `seq`, `Last-Event-ID`, `after` and `after_seq`. */
export function formatCursor(cursor: Cursor): string {
  return `${cursor.epoch}.${cursor.seq}`
}

/** Reads a cursor; undefined when the text is not one. */
export function parseCursor(text: string): Cursor | undefined {
  const match = pattern.exec(text)
  if (!match?.[1] || !match[2]) return undefined
  const seq = Number(match[2])
  return Number.isSafeInteger(seq) ? { epoch: match[1], seq } : undefined
}
