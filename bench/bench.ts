import type { Row } from './report.ts'

/** How a bench is run. */
export interface BenchOptions {
  /** Small counts: to see that it works, not how fast. */
  quick: boolean
  /** A directory of its own, on the disk that is measured; removed afterwards. */
  directory: string
  /** Tells how far it is. */
  say: (text: string) => void
}

/** Measures something and tells it in rows. */
export type Bench = (options: BenchOptions) => Promise<Row[]>
