import type { EvaluationUsage, EvaluatorCategory, EvaluatorInfo, Evidence, Field, ScoreFault } from '@llm-eval/protocol'
import type * as z from 'zod'

/** Fields of an input by name, after synonyms were resolved to the names of the evaluator's own `input`. */
export type Input = Readonly<Record<string, unknown>>

/** What an evaluator says of an input. Everything is optional: a verdict may be a value, a label, a pass, or all. */
export interface Verdict {
  /** Finite, and within the evaluator's range; anything else makes the score `errored` (`refused_value`). */
  value?: number | null
  label?: string | null
  passed?: boolean | null
  explanation?: string | null
  /** Result fields, as the evaluator's `output` names them. */
  output?: Record<string, unknown>
  usage?: EvaluationUsage | null
}

/** There can be no score: evidence is missing (`skipped`), or the evaluator failed (`errored`). Throw it, or return the verdict. */
export class NoScore extends Error {
  override readonly name = 'NoScore'
  readonly fault: ScoreFault
  readonly usage: EvaluationUsage | null

  constructor(fault: ScoreFault, message: string, usage: EvaluationUsage | null = null) {
    super(message)
    this.fault = fault
    this.usage = usage
  }
}

/** What an evaluator has at hand while it scores. */
export interface Scoring<Config> {
  config: Config
  signal: AbortSignal
  /** Tells how far it is, for those who watch. */
  progress: (done: number, total: number) => void
}

/** Says where an evaluator runs with an input and a configuration. */
export type Placing<Config> = { place(input: Input, config: Config): 'inline' | 'thread' }['place']

/** A scorer, built in or made from a stored definition. */
export interface Evaluator<Config = unknown> {
  /** Kebab-case. */
  readonly slug: string
  readonly name: string
  /** One or two sentences: what the value means, and what passes. */
  readonly description: string
  readonly kind: EvaluatorInfo['kind']
  readonly category: EvaluatorCategory
  readonly aliases?: readonly string[]
  readonly needs: readonly Evidence[]
  readonly provider?: 'chat' | 'embedding'
  readonly input: readonly Field[]
  /** Takes whatever else was sent as well, under the names it came by. */
  readonly open?: boolean
  readonly output: readonly Field[]
  /** Every member has a default or is optional, unless the evaluator cannot do without it. */
  readonly config: z.ZodType<Config>
  readonly range: EvaluatorInfo['range']
  readonly direction: EvaluatorInfo['direction']
  readonly example: NonNullable<EvaluatorInfo['example']>
  /** Whatever its scores depend on beside code and configuration: hash of a prompt, name of a model, a declared version. */
  readonly depends?: unknown
  /** Goes up when its code scores otherwise than before; 1 when absent. */
  readonly revision?: number
  /** False where its code is not under a declared version; true when absent. */
  readonly pinned?: boolean
  /**
   * Where it runs. `inline`: at once, for what is always quick. `thread`: in a worker thread that is ended when it takes too
   * long, for what an input can make slow (regular expressions, schemas, long texts).
   */
  readonly runs: 'inline' | 'thread' | Placing<Config>
  score(input: Input, scoring: Scoring<Config>): Verdict | Promise<Verdict>
}

/** Keeps the type of the configuration while it is written down. */
export function evaluator<Config>(definition: Evaluator<Config>): Evaluator<Config> {
  return definition
}
