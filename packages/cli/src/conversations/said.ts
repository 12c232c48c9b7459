import type { AdkMeasure } from '@llm-eval/engine/agent'
import type { GlobalOptions } from '../target.ts'

/** A measure and what it must reach at least. */
export interface ReplayGate {
  measure: AdkMeasure
  least: number
}

export interface ReplayOptions extends GlobalOptions {
  agent?: string
  agentConfig?: string
  target?: string
  min?: ReplayGate[]
  /** Milliseconds without anything happening after which a replay on the server is given up. */
  timeout: number
  json?: boolean
}

/** What was said again, and where. */
export interface SaidAgain {
  thread: string
  warnings: string[]
  /** Whether every turn of the user could be said, and was. */
  isWhole: boolean
}
