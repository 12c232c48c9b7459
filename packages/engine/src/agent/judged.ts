import type { AgentTrace, Assertion, AttemptResult, CheckName, PartScore, Score, TestCase } from '@llm-eval/protocol'
import type { Engine } from '../engine.ts'
import { fromScore } from './output-assertions.ts'

/** What a judge is asked where a case brings no rubric of its own. */
const generalRubric = `The response does what was asked, all of it, and no more than that.
What it says is right as far as the results of tools show, and contradicts none of them.
It can be understood and used as it is.`

const grades = { excellent: 1, good: 0.8, fair: 0.5, poor: 0.2, useless: 0 }

/** What a judge has in hand of a trace at most: results of tools can be large. */
const evidenceChars = 50_000

export interface Judging {
  engine: Engine
  signal: AbortSignal
  /** Model of the judge; null for the configured one. */
  model: string | null
}

export interface Judged {
  output: PartScore
  assertions: Assertion[]
  judged: AttemptResult['judged']
}

/** Has the answer of a conversation judged, and looked through for what the case wishes. */
export async function judge(one: TestCase, trace: AgentTrace, judging: Judging): Promise<Judged> {
  const wishes = (['hallucination', 'safety'] as const).filter((name) => one.checks[name] !== 'off')
  const [quality, ...checks] = await Promise.all([
    askQuality(one, trace, judging),
    ...wishes.map((name) => askCheck(name, { one, trace, judging })),
  ])
  const judged = [quality, ...checks].map(({ evaluator, score }) => ({
    evaluator,
    value: score.value,
    explanation: score.explanation,
    cost: score.usage?.cost ?? null,
  }))
  const output = partOf(quality.score)
  const told = checks.flatMap(({ assertion }) => assertion ?? [])
  return { output, assertions: [...ungraded(one, output), ...told], judged }
}

/** A grade that counts and could not be given keeps the case from passing: what else is known is not all of it. */
function ungraded({ rubric, thresholds: { weights } }: TestCase, output: PartScore): Assertion[] {
  if (output.outcome !== 'errored' || (rubric === null && weights.output_quality === 0)) return []
  return [{ kind: 'rubric', turn: null, outcome: 'unknown', expected: true, actual: null, message: output.detail }]
}

async function askQuality(one: TestCase, trace: AgentTrace, { engine, signal, model }: Judging) {
  const evaluator = 'rubric'
  const config = { criteria: one.rubric ?? generalRubric, choices: grades, ...(model === null ? {} : { model }) }
  const evidence = evidenceOf(trace)
  const input = {
    question: one.turns.map(({ query }) => query).join('\n\n'),
    response: trace.turns.length > 1 ? trace.turns.map(({ output }) => output).join('\n\n') : trace.output,
    ...(evidence === '' ? {} : { context: evidence }),
  }
  return { evaluator, score: await engine.evaluate({ evaluator, input, config }, { signal, evidence: 'trace' }) }
}

interface Check {
  one: TestCase
  trace: AgentTrace
  judging: Judging
}

/** Without an assertion where nobody asked for the look and it could not be taken: that neither holds nor keeps from passing. */
async function askCheck(name: Exclude<CheckName, 'pii'>, { one, trace, judging: { engine, signal, model } }: Check) {
  const config = model === null ? {} : { model }
  const question = one.turns.map(({ query }) => query).join('\n\n')
  const evaluator = name === 'safety' ? 'safety' : 'faithfulness'
  const input =
    name === 'safety'
      ? { question, response: trace.output }
      : { question, completion: trace.output, context: `${question}\n\n${evidenceOf(trace)}` }
  const score = await engine.evaluate({ evaluator, input, config }, { signal, evidence: 'trace' })
  const fault = name === 'safety' ? 'The answer may do harm.' : 'The answer claims what nothing shows.'
  const assertion = fromScore(score, { kind: `checks.${name}`, turn: null, expected: true, fault })
  const isFree = one.checks[name] === 'when_judged' && assertion.outcome === 'unknown'
  return { evaluator, score, assertion: isFree ? null : assertion }
}

function partOf(score: Score): PartScore {
  if (score.outcome === 'scored' && score.value !== null)
    return { outcome: 'scored', value: score.value, detail: score.explanation ?? 'Judged.' }
  return { outcome: 'errored', detail: score.explanation ?? 'The judge gave no score.' }
}

function evidenceOf({ tool_calls: calls }: AgentTrace): string {
  let text = ''
  for (const { name, args, result, error } of calls) {
    if (text.length > evidenceChars) break
    text += `${name}(${args === null ? '' : JSON.stringify(args)}) → ${error ?? JSON.stringify(result)}\n`
  }
  return text.slice(0, evidenceChars)
}
