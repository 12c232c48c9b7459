import { limits, type Score, type ScoreFault } from '@llm-eval/protocol'
import * as z from 'zod'
import { type Evaluator, NoScore } from './evaluator.ts'

const outputSchema = z.record(z.string(), z.unknown())
const count = z.number().min(0).nullable()
/** What an evaluator may say. Whatever else it returns is refused. */
const verdictSchema = z.object({
  value: z.number().nullish(),
  label: z.string().max(limits.nameChars).nullish(),
  passed: z.boolean().nullish(),
  explanation: z.string().nullish(),
  output: outputSchema.optional(),
  usage: z
    .object({
      model: z.string().nullable(),
      input_tokens: count,
      output_tokens: count,
      cost: count,
      cached: z.boolean(),
    })
    .nullish(),
})

/** Makes a score of what an evaluator returned. @throws {NoScore} `refused_value`, `too_large` */
export function scoreOf({ range }: Evaluator, verdict: unknown): Omit<Score, 'duration_ms'> {
  const read = usual(verdict) ?? checked(verdict)
  const { value = null, label = null, passed = null, explanation = null, output = {}, usage = null } = read
  if (value !== null && (value < (range.min ?? value) || value > (range.max ?? value)))
    throw new NoScore(
      'refused_value',
      `The evaluator's verdict is refused: ${value} lies outside of ${range.min ?? '-∞'} to ${range.max ?? '∞'}.`,
      usage,
    )
  return {
    outcome: 'scored',
    value,
    label,
    passed,
    explanation: cut(explanation),
    fault: null,
    output: outputOf(output),
    usage,
  }
}

type Said = z.output<typeof verdictSchema>

/**
 * A verdict that the schema would accept as it is, of the kind that evaluators of code give: looking it through member by member
 * would take as long as most of them. Null for any other.
 */
function usual(verdict: unknown): Said | null {
  if (!isPlain(verdict)) return null
  for (const name of Object.keys(verdict)) if (!usualMembers.has(name)) return null
  // Each is read once: it may be another the next time.
  const { value, passed, output } = verdict
  const fits = isPlain(output) && (passed === null || typeof passed === 'boolean')
  return fits && (value === null || (typeof value === 'number' && Number.isFinite(value)))
    ? { value, passed, output }
    : null
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

const usualMembers = new Set(['value', 'passed', 'output'])

function checked(verdict: unknown): Said {
  const read = verdictSchema.safeParse(verdict)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const where = issue && issue.path.length > 0 ? `its ${issue.path.join('.')}` : 'what it returned'
  throw new NoScore('refused_value', `The evaluator's verdict is refused: ${where} is not valid (${issue?.message}).`)
}

/** Makes a score of why there is none. */
export function noScoreOf(error: unknown): Omit<Score, 'duration_ms'> {
  const known = error instanceof NoScore ? error : new NoScore('threw', `The evaluator threw: ${wordsOf(error)}`)
  const fault: ScoreFault = known.fault
  return {
    outcome: fault === 'missing_evidence' ? 'skipped' : 'errored',
    value: null,
    label: null,
    passed: null,
    explanation: cut(known.message),
    fault,
    output: {},
    usage: known.usage,
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof Error) return error.message
  return typeof error === 'string' ? error : 'something that is no error'
}

/** Only what JSON can say, and not too much of it. */
function outputOf(output: Record<string, unknown>): Record<string, unknown> {
  const text = jsonOf(output)
  // No character takes more than three bytes a unit.
  if (text.length * 3 > limits.scoreOutputBytes && Buffer.byteLength(text) > limits.scoreOutputBytes)
    throw new NoScore('too_large', `The evaluator's output is larger than ${limits.scoreOutputBytes} bytes.`)
  const said: unknown = JSON.parse(text)
  return isPlain(said) && !Object.hasOwn(said, '__proto__') ? said : outputSchema.parse(said)
}

function jsonOf(output: Record<string, unknown>): string {
  try {
    return JSON.stringify(output)
  } catch {
    throw new NoScore('refused_value', "The evaluator's verdict is refused: its output cannot be written as JSON.")
  }
}

/** Shortens to the cap, never in the middle of a character. */
function cut(text: string | null): string | null {
  if (text === null || text.length <= limits.explanationChars) return text
  const end = limits.explanationChars - 1
  const code = text.charCodeAt(end - 1)
  return `${text.slice(0, code >= 0xd800 && code <= 0xdbff ? end - 1 : end)}…`
}
