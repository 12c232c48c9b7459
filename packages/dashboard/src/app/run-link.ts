import { type Cell, createCell } from '../stream/cell.ts'
import type { LinkStatus } from '../stream/hub.ts'
import type { RunWatch } from '../stream/run-watch.ts'

/** The socket of runs, as far as every page knows it: what watches them comes with the first page that does. */
export interface RunLink {
  /** How the connection is doing; null while nobody watches. */
  status: Cell<LinkStatus | null>
  /** Undefined until the first page watches. */
  watch: RunWatch | undefined
  onSignedOut: () => void
}

export function createRunLink(onSignedOut: () => void): RunLink {
  return { status: createCell<LinkStatus | null>(null), watch: undefined, onSignedOut }
}
