import type { AgentTrace, Assertion, Expected, Score } from '@llm-eval/protocol'
import type { Engine } from '../engine.ts'

export interface OutputScene {
  output: string
  expected: Expected
  turn: number | null
  trace: AgentTrace
}

/** What a case demands of an answer. What may take long (patterns, schemas) runs where the engine can end it. */
export async function outputAssertions(
  scene: OutputScene,
  { engine, signal }: { engine: Engine; signal: AbortSignal },
): Promise<Assertion[]> {
  const { expected, turn } = scene
  const { output: wanted } = expected
  const ask = (evaluator: string, input: Record<string, unknown>, config: Record<string, unknown>) =>
    engine.evaluate({ evaluator, input, config }, { signal })
  const pattern = (regex: string, mustMatch: boolean) =>
    ask(
      'regex-validator',
      { text: scene.output.slice(0, 100_000) },
      { regex, should_match: mustMatch, case_sensitive: false, dot_include_nl: true },
    )
  const matched = wanted.regex.map(async (regex) =>
    fromScore(await pattern(regex, true), {
      kind: 'output.regex',
      turn,
      expected: regex,
      fault: `Nothing fits /${regex}/.`,
    }),
  )
  const unmatched = wanted.not_regex.map(async (regex) =>
    fromScore(await pattern(regex, false), {
      kind: 'output.not_regex',
      turn,
      expected: regex,
      fault: `Something fits /${regex}/.`,
    }),
  )
  const schema = wanted.json_schema
  const shaped =
    schema === null
      ? []
      : [
          ask('json-schema', { response: jsonIn(scene.output) }, { schema }).then((score) =>
            fromScore(score, {
              kind: 'output.json_schema',
              turn,
              expected: schema,
              fault: 'It does not fit the schema',
            }),
          ),
        ]
  return [
    ...texts(scene),
    ...(await Promise.all([...matched, ...unmatched, ...shaped])),
    ...numbers(scene),
    ...uncertainty(scene),
  ]
}

function texts({ output, expected, turn }: OutputScene): Assertion[] {
  const lower = output.toLowerCase()
  const holds = (text: string) => lower.includes(text.toLowerCase())
  const { contains, not_contains } = expected.output
  return [
    ...contains.map((text): Assertion => {
      const message = holds(text) ? `The answer holds “${text}”.` : `The answer does not hold “${text}”.`
      return {
        kind: 'output.contains',
        turn,
        outcome: holds(text) ? 'passed' : 'failed',
        expected: text,
        actual: null,
        message,
      }
    }),
    ...not_contains.map((text): Assertion => {
      const message = holds(text) ? `The answer holds “${text}”, and must not.` : `The answer does not hold “${text}”.`
      return {
        kind: 'output.not_contains',
        turn,
        outcome: holds(text) ? 'failed' : 'passed',
        expected: text,
        actual: null,
        message,
      }
    }),
  ]
}

/** Numbers by name: members of an answer that is JSON, or `name: 1.5` in its words. */
function numbers({ output, expected, turn }: OutputScene): Assertion[] {
  return Object.entries(expected.metrics).map(([name, { value, tolerance }]) => {
    const actual = numberIn(output, name)
    const told = { kind: 'output.metric', turn, expected: { name, value, tolerance }, actual }
    if (actual === null) return { ...told, outcome: 'unknown', message: `The answer says no number for ${name}.` }
    const near = Math.abs(actual - value) <= tolerance
    const message = `${name} is ${actual}${near ? '' : `, not ${value}${tolerance > 0 ? ` ± ${tolerance}` : ''}`}.`
    return { ...told, outcome: near ? 'passed' : 'failed', message }
  })
}

const unsure =
  /\b(i('m| am) not (sure|certain)|i do(n't| not) (know|have)|(can(no|')t|could(n't| not)|unable to) (find|confirm|verify|determine|access|say)|not (sure|certain|clear|available)|uncertain|unclear|may not be|might not be|no (information|data|results))\b/i

/** Where nothing was looked up, or looking up failed, an answer should not sound as if it knew. */
function uncertainty({ output, expected, turn, trace }: OutputScene): Assertion[] {
  if (!expected.output.must_acknowledge_uncertainty) return []
  const calls = trace.tool_calls.filter((call) => turn === null || call.turn === turn)
  const kind = 'output.must_acknowledge_uncertainty'
  const told = { kind, turn, expected: true, actual: null }
  const blind = calls.length === 0 || calls.some(({ succeeded, error }) => succeeded === false || error !== null)
  if (!blind) return [{ ...told, outcome: 'passed', message: 'All tools answered, so it need not be unsure.' }]
  const says = unsure.test(output.replaceAll('’', "'"))
  if (says) return [{ ...told, outcome: 'passed', message: 'The answer says that it is not sure.' }]
  const message = 'The answer does not say that it is not sure'
  if (trace.captured.includes('tools')) return [{ ...told, outcome: 'failed', message: `${message}.` }]
  return [{ ...told, outcome: 'unknown', message: `${message}, and the agent does not show whether it looked it up.` }]
}

function numberIn(output: string, name: string): number | null {
  const json = jsonIn(output)
  if (typeof json === 'object' && json !== null && Object.hasOwn(json, name)) {
    const member: unknown = Reflect.get(json, name)
    return typeof member === 'number' ? member : null
  }
  const at = output.toLowerCase().indexOf(name.toLowerCase())
  if (at < 0) return null
  const found = /^\W{0,10}?(-?\d{1,20}(?:\.\d{1,20})?)/.exec(output.slice(at + name.length, at + name.length + 60))?.[1]
  return found === undefined ? null : Number(found)
}

/** The JSON of an answer: all of it, or the first object in its words. */
function jsonIn(output: string): unknown {
  const whole = parsed(output)
  if (whole !== undefined) return whole
  // Each brace may begin an object; that many are tried.
  let start = output.indexOf('{')
  for (let tries = 0; start >= 0 && tries < 20; tries++) {
    const end = endOfObject(output, start)
    const value = end === undefined ? undefined : parsed(output.slice(start, end))
    if (value !== undefined) return value
    start = output.indexOf('{', start + 1)
  }
  return output
}

function endOfObject(text: string, start: number): number | undefined {
  let deep = 0
  let quoted = false
  for (let at = start; at < text.length; at++) {
    const char = text[at]
    if (quoted && char === '\\') at++
    else if (char === '"') quoted = !quoted
    else if (!quoted && char === '{') deep++
    else if (!quoted && char === '}' && --deep === 0) return at + 1
  }
  return undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

interface Told {
  kind: string
  turn: number | null
  expected: unknown
  /** What is said when it does not hold. */
  fault: string
}

/** An evaluator's score as an assertion: one that could not be made is unknown, and does not pass. */
export function fromScore(score: Score, { kind, turn, expected, fault }: Told): Assertion {
  const told = { kind, turn, expected, actual: score.value }
  if (score.outcome !== 'scored' || score.passed === null) {
    return { ...told, outcome: 'unknown', message: score.explanation ?? 'It could not be evaluated.' }
  }
  if (score.passed) return { ...told, outcome: 'passed', message: score.explanation ?? 'It is as it should be.' }
  return {
    ...told,
    outcome: 'failed',
    message: score.explanation === null ? fault : `${fault.replace(/\.$/, '')}: ${score.explanation}`,
  }
}
