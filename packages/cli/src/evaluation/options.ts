import type { PlaceOptions } from '../place.ts'

/** A bound of a metric's mean. */
export interface Bound {
  name: string
  value: number
}

/** Options of `llm-eval run`. */
export interface RunOptions extends PlaceOptions {
  name?: string
  tag?: string[]
  limit?: number
  repeat?: number
  concurrency?: number
  /** Milliseconds. */
  timeout?: number
  retries?: number
  /** Milliseconds that the end waits for a server that is away; a minute if absent. */
  patience?: number
  /** A run, or the newest that is not whole. */
  resume?: string | true
  watch?: boolean
  min?: Bound[]
  max?: Bound[]
  failOn?: 'regression'
  baseline?: string
  /** Items that may fail. */
  allowFailed: number
  json?: boolean
  junit?: string
  markdown?: string
  html?: string
}
