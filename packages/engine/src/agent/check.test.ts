import type { AgentTrace, AttemptResult, Baseline, CheckResult, CheckState, TestCase } from '@llm-eval/protocol'
import { array, assert, constantFrom, jsonValue, property } from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { call, caseWith, traceOf } from '../../test/agent-cases.ts'
import { createEngine } from '../create-engine.ts'
import { alignCalls } from './align.ts'
import { argumentDifferences } from './arguments.ts'
import { caseResult } from './case-result.ts'
import { checkCase, type CheckOptions } from './check.ts'
import { failOnAlways, release } from './release.ts'

const engine = createEngine()
afterAll(() => engine.close())
const options: CheckOptions = { engine, signal: new AbortController().signal, now: Date.parse('2026-06-01') }

const calls = (names: string) => names.split('').map((name) => call(name))

describe('aligned calls', () => {
  const told = (before: string, after: string) =>
    alignCalls(calls(before), calls(after)).map(({ kind, name, before: a, after: b }) => [kind, name, a, b])

  test('keep as much in common as they can', () => {
    expect(told('az', 'bcdz')).toEqual([
      ['removed', 'a', 0, null],
      ['added', 'b', null, 0],
      ['added', 'c', null, 1],
      ['added', 'd', null, 2],
      ['same', 'z', 1, 3],
    ])
  })

  test('know a call that moved from one that is new', () => {
    expect(told('abc', 'cab')).toEqual([
      ['moved', 'c', 2, 0],
      ['same', 'a', 0, 1],
      ['same', 'b', 1, 2],
    ])
  })

  test('tell other arguments apart from other tools, by path', () => {
    const [step] = alignCalls(
      [call('a', { x: 1, deep: { y: [1, 2] } })],
      [call('a', { x: '1', deep: { y: [1, 3] }, z: 0 })],
    )
    expect(step).toMatchObject({
      kind: 'arguments',
      differences: [
        { path: 'z', kind: 'added', before: null, after: 0 },
        { path: 'x', kind: 'type', before: 1, after: '1' },
        { path: 'deep.y.1', kind: 'value', before: 2, after: 3 },
      ],
    })
  })

  test('whose arguments are not shown on one side are the same', () => {
    expect(alignCalls([call('a', { x: 1 })], [call('a', null)])).toMatchObject([{ kind: 'same' }])
  })

  test('name each call exactly once, in its order', () => {
    const names = array(constantFrom('a', 'b', 'c'), { maxLength: 12 })
    assert(
      property(names, names, (before, after) => {
        const steps = alignCalls(calls(before.join('')), calls(after.join('')))
        const now = steps.flatMap(({ after: index }) => (index === null ? [] : [index]))
        const was = steps.flatMap(({ before: index }) => (index === null ? [] : [index]))
        expect(now).toEqual(after.map((_, index) => index))
        expect(was.toSorted((a, b) => a - b)).toEqual(before.map((_, index) => index))
        if (before.join() === after.join()) expect(steps.every(({ kind }) => kind === 'same')).toBe(true)
      }),
    )
  })

  test('of thousands are aligned too', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => call(`t${index % 7}`))
    expect(alignCalls(many, many.toSpliced(5_000, 1)).filter(({ kind }) => kind !== 'same')).toHaveLength(1)
    expect(alignCalls(many, many.toReversed())).not.toHaveLength(0)
  })

  test('differ in nothing from themselves, whatever their arguments are', () => {
    assert(
      property(jsonValue(), (args) => {
        expect(argumentDifferences(args, structuredClone(args))).toEqual([])
      }),
    )
  })
})

const accepted = (traces: AgentTrace[], other: Partial<Baseline> = {}): Baseline => ({
  version: 1,
  case_id: 'a',
  name: 'A',
  suite: 's',
  variant: 'default',
  accepted_at: '2026-01-01T00:00:00Z',
  accepted_by: null,
  note: null,
  model: traces[0]?.model ?? null,
  attempts: traces.map((trace) => ({ score: 90, trace })),
  ...other,
})

function attemptOf(trace: AgentTrace, other: Partial<AttemptResult> = {}): AttemptResult {
  const none = { outcome: 'not_expected' } as const
  return {
    outcome: 'passed',
    score: 90,
    complete: true,
    parts: { tool_accuracy: none, output_quality: none, sequence_correctness: none },
    assertions: [],
    trace,
    judged: [],
    ...other,
  }
}

const lenient = {
  thresholds: {
    ...caseWith({}).thresholds,
    variance: { pass_rate: 0, min_mean_score: null, max_std_dev: null, confidence_level: 0.95 },
  },
}

/** How a case does against what was accepted. */
async function check(
  attempts: AttemptResult[],
  baselines: Baseline[],
  { one = caseWith({}), ...more }: Partial<CheckOptions> & { one?: TestCase } = {},
): Promise<CheckResult> {
  return checkCase(one, { result: caseResult(one, attempts), baselines }, { ...options, ...more })
}

describe('a case held against its baseline', () => {
  const words = 'The share of Apple is at 266.25 dollars, two percent up since yesterday.'
  const before = traceOf(words, ['a', 'b'], { model: 'm-1', cost: 0.01, latency_ms: 100 })

  test.each<[CheckState, AttemptResult]>([
    ['PASSED', attemptOf(before)],
    ['PASSED', attemptOf({ ...before, output: `${words.replaceAll(' ', '  ')}\n` })],
    ['PASSED', attemptOf({ ...before, output: words.replace('266', '267') })],
    ['OUTPUT_CHANGED', attemptOf({ ...before, output: 'I would rather not say.' })],
    ['TOOLS_CHANGED', attemptOf({ ...before, tool_calls: calls('ba'), output: 'I would rather not say.' })],
    ['TOOLS_CHANGED', attemptOf({ ...before, tool_calls: [call('a', { x: 1 }), call('b')] })],
    ['MODEL_CHANGED', attemptOf({ ...before, model: 'm-2' })],
    ['REGRESSION', attemptOf(before, { score: 84.9 })],
    ['PASSED', attemptOf(before, { score: 85 })],
    ['REGRESSION', attemptOf(before, { outcome: 'failed', score: 95 })],
    ['NOT_EVALUATED', attemptOf(before, { outcome: 'unevaluated', score: 95 })],
    [
      'NOT_EVALUATED',
      attemptOf({ ...before, fault: { code: 'refused', message: 'down' } }, { outcome: 'faulted', score: null }),
    ],
  ])('is %s', async (state, attempt) => {
    expect((await check([attempt], [accepted([before])])).state).toBe(state)
  })

  test('that calls a forbidden tool is a regression, though its score and its words are as before', async () => {
    const one = caseWith({ forbidden_tools: ['b'] })
    const result = await check([attemptOf(before)], [accepted([before])], { one })
    expect(result).toMatchObject({
      state: 'REGRESSION',
      forbidden_tools: ['b'],
      reasons: ['Called though forbidden: b.'],
    })
  })

  test('is none without a baseline, and a regression when it fails even so', async () => {
    expect(await check([attemptOf(before)], [])).toMatchObject({ state: 'NO_BASELINE', variant: null })
    expect(await check([attemptOf(before, { outcome: 'failed' })], [])).toMatchObject({ state: 'REGRESSION' })
  })

  test('counts against the variant that is nearest', async () => {
    const other = traceOf('Quite another answer to the same question.', ['c'], { model: 'm-1' })
    const baselines = [accepted([before]), accepted([other], { variant: 'short' })]
    expect(await check([attemptOf(other)], baselines)).toMatchObject({ state: 'PASSED', variant: 'short' })
    const near = { ...other, output: 'Quite another answer to the same question!', tool_calls: calls('cd') }
    expect(await check([attemptOf(near)], baselines)).toMatchObject({ state: 'TOOLS_CHANGED', variant: 'short' })
  })

  test('counts with each attempt that passed, and not with the first alone', async () => {
    const attempts = [attemptOf(before), attemptOf(before), attemptOf({ ...before, tool_calls: calls('abc') })]
    const result = await check(attempts, [accepted([before])])
    expect(result).toMatchObject({ state: 'TOOLS_CHANGED', shown: { attempt: 2, accepted: 0 } })
    expect(result.steps.map(({ kind }) => kind)).toEqual(['same', 'same', 'added'])
    expect(result.reasons).toEqual(['Tools changed: added c.', '1 of 3 attempts is not as accepted.'])
    const words = await check([attemptOf(before), attemptOf({ ...before, output: 'Who knows?' })], [accepted([before])])
    expect(words).toMatchObject({ state: 'OUTPUT_CHANGED', shown: { attempt: 1 } })
  })

  test('may go any way that was accepted, of whatever variant and attempt', async () => {
    const other = traceOf('Quite another answer to the same question.', ['c'], { model: 'm-1' })
    const both = [accepted([before, other])]
    expect(await check([attemptOf(other), attemptOf(before)], both)).toMatchObject({ state: 'PASSED' })
    const variants = [accepted([before]), accepted([other], { variant: 'short' })]
    expect(await check([attemptOf(before), attemptOf(other)], variants)).toMatchObject({ state: 'PASSED' })
    const third = traceOf('Something else altogether, of which nobody ever said that it is right.', ['c'])
    expect(await check([attemptOf(before), attemptOf(third)], variants)).toMatchObject({
      state: 'OUTPUT_CHANGED',
      variant: 'short',
      shown: { attempt: 1, accepted: 0 },
    })
  })

  test('that fails is shown by an attempt that does', async () => {
    const bad = attemptOf({ ...before, tool_calls: calls('b') }, { outcome: 'failed' })
    const result = await check([attemptOf(before), bad], [accepted([before])])
    expect(result).toMatchObject({ state: 'REGRESSION', shown: { attempt: 1, accepted: 0 } })
    expect(result.steps.map(({ kind }) => kind)).toEqual(['removed', 'same'])
  })

  test('is compared turn by turn, and not by its last words alone', async () => {
    const turn = (output: string) => ({ query: 'q', output, latency_ms: 1, first_token_ms: null, attempts: 1 })
    const spoken = (...outputs: string[]) => traceOf(outputs.at(-1) ?? '', [], { turns: outputs.map(turn) })
    const baselines = [accepted([spoken(words, 'Bye.')])]
    expect(await check([attemptOf(spoken(words, 'Bye.'))], baselines)).toMatchObject({ state: 'PASSED' })
    const result = await check([attemptOf(spoken('I do not know.', 'Bye.'))], baselines)
    expect(result.state).toBe('OUTPUT_CHANGED')
    expect(result.reasons).toEqual([expect.stringMatching(/^The answer of turn 1 is \d+ % alike\.$/)])
    expect(await check([attemptOf(spoken(words))], baselines)).toMatchObject({ state: 'OUTPUT_CHANGED' })
  })

  test('is compared to its end, however long an answer is', async () => {
    const long = 'word '.repeat(19_999)
    const spoken = (output: string) => {
      const turn = { query: 'q', output, latency_ms: 1, first_token_ms: null, attempts: 1 }
      return traceOf(output, [], { turns: [turn] })
    }
    const baselines = [accepted([spoken(`${long}${'the end '.repeat(10_000)}`)])]
    expect(await check([attemptOf(spoken(`${long}${'the end '.repeat(10_000)}`))], baselines)).toMatchObject({
      state: 'PASSED',
      output_similarity: 1,
    })
    const result = await check([attemptOf(spoken(`${long}${'no rest '.repeat(10_000)}`))], baselines)
    expect(result.state).toBe('OUTPUT_CHANGED')
    expect(result.output_similarity).toBeGreaterThan(0.5)
    expect(result.output_similarity).toBeLessThan(0.9)
  })

  test('cannot be told where tools or arguments that were accepted are not shown any more, unless that is waived', async () => {
    const blind = { ...before, tool_calls: [], captured: ['output' as const], level: 1 as const }
    const result = await check([attemptOf(blind)], [accepted([before])])
    expect(result).toMatchObject({ state: 'NOT_EVALUATED', steps: [] })
    expect(result.reasons).toEqual(['The agent does not show its tools any more, and they were accepted.'])
    expect(await check([attemptOf(blind)], [accepted([before])], { waived: { tools: true } })).toMatchObject({
      state: 'PASSED',
    })
    const names = { ...before, tool_calls: [call('a', null), call('b', null)] }
    const unsure = await check([attemptOf(names)], [accepted([before])])
    expect(unsure).toMatchObject({ state: 'NOT_EVALUATED' })
    expect(unsure.reasons).toEqual(['The agent does not show the arguments of a, b any more, and they were accepted.'])
    expect(await check([attemptOf(blind, { outcome: 'failed' })], [accepted([before])])).toMatchObject({
      state: 'REGRESSION',
    })
  })

  test('says by how much cost and time changed, and whether that is more than chance', async () => {
    const spread = (latencies: number[]) => latencies.map((ms) => ({ ...before, latency_ms: ms, cost: ms / 1_000 }))
    const baselines = [accepted(spread([100, 110, 90, 105]))]
    const slower = await check(
      spread([200, 210, 190, 205]).map((trace) => attemptOf(trace)),
      baselines,
    )
    expect(slower.latency).toMatchObject({ before: 101.25, after: 201.25, detectable: true })
    expect(slower.latency.interval?.low).toBeGreaterThan(80)
    const alike = await check(
      spread([101, 111, 89, 106]).map((trace) => attemptOf(trace)),
      baselines,
    )
    expect(alike.cost).toMatchObject({ detectable: false })
    const once = await check([attemptOf(before)], [accepted([before])])
    expect(once.latency).toEqual({ before: 100, after: 100, interval: null, detectable: null })
  })

  test('whose score falls by chance has not fallen', async () => {
    const scored = (scores: number[]) => scores.map((score) => attemptOf(before, { score }))
    const baseline = accepted([before, before, before], {
      attempts: [60, 90, 100].map((score) => ({ score, trace: before })),
    })
    const one = caseWith({}, lenient)
    expect(await check(scored([50, 80, 95]), [baseline], { one })).toMatchObject({
      state: 'PASSED',
      score: { detectable: false },
    })
    const sure = accepted([before], { attempts: [89, 90, 91].map((score) => ({ score, trace: before })) })
    expect(await check(scored([59, 60, 61]), [sure], { one })).toMatchObject({
      state: 'REGRESSION',
      score: { detectable: true },
    })
  })

  test('with a cost that is unknown has no change of it', async () => {
    const result = await check([attemptOf({ ...before, cost: null })], [accepted([before])])
    expect(result.cost).toEqual({ before: 0.01, after: null, interval: null, detectable: null })
  })
})

describe('a release', () => {
  const trace = traceOf('x', ['a'])
  const quarantine = { case_id: 'a', owner: 'Ada', reason: 'flaky backend', expires_at: '2026-07-01T00:00:00Z' }
  const gate = { failOn: failOnAlways, unreadable: [] }

  /** Cases in these states. */
  async function cases(...states: (CheckState | 'forbidden')[]): Promise<CheckResult[]> {
    const [fine] = [await check([attemptOf(trace)], [accepted([trace])])]
    return states.map((state) => ({
      ...fine,
      state: state === 'forbidden' ? 'REGRESSION' : state,
      forbidden_tools: state === 'forbidden' ? ['rm'] : [],
    }))
  }
  const held = (checks: CheckResult[], index: number) =>
    checks.map((one, at) => (at === index ? { ...one, quarantine } : one))

  test.each<[(CheckState | 'forbidden')[], string, number]>([
    [['PASSED', 'PASSED'], 'SAFE_TO_SHIP', 0],
    [['PASSED', 'REGRESSION'], 'BLOCK_RELEASE', 1],
    [['PASSED', 'REGRESSION', 'NOT_EVALUATED'], 'BLOCK_RELEASE', 1],
    [['PASSED', 'forbidden'], 'BLOCK_RELEASE', 1],
    [['PASSED', 'TOOLS_CHANGED'], 'INVESTIGATE', 0],
    [['PASSED', 'OUTPUT_CHANGED'], 'INVESTIGATE', 0],
    [['PASSED', 'MODEL_CHANGED'], 'INVESTIGATE', 0],
    [['PASSED', 'NOT_EVALUATED'], 'INVESTIGATE', 2],
    [['PASSED', 'NO_BASELINE'], 'INVESTIGATE', 2],
    [[], 'INVESTIGATE', 2],
  ])('of cases that are %j is %s', async (states, verdict, exitCode) => {
    expect(release(await cases(...states), gate)).toMatchObject({ verdict, exit_code: exitCode })
  })

  test('may be made to fail on any change', async () => {
    const strict = { ...gate, failOn: ['REGRESSION', 'TOOLS_CHANGED'] as const }
    expect(release(await cases('TOOLS_CHANGED'), strict)).toMatchObject({ verdict: 'BLOCK_RELEASE', exit_code: 1 })
  })

  test('goes on with a case in quarantine, and says whose it is and how long', async () => {
    const report = release(held(await cases('PASSED', 'REGRESSION'), 1), gate)
    expect(report).toMatchObject({ verdict: 'SHIP_WITH_QUARANTINE', exit_code: 0 })
    expect(report.reasons.join()).toContain('Quarantined by Ada until 2026-07-01')
  })

  test('with a forbidden tool is blocked, quarantine or not', async () => {
    expect(release(held(await cases('PASSED', 'forbidden'), 1), gate)).toMatchObject({ exit_code: 1 })
  })

  test('of which every case is in quarantine and untested is not green', async () => {
    expect(release(held(await cases('NOT_EVALUATED'), 0), gate)).toMatchObject({ exit_code: 2 })
  })

  test('with a file that could not be read is not green', async () => {
    const report = release(await cases('PASSED'), { ...gate, unreadable: ['b.yaml:3: name is missing'] })
    expect(report).toMatchObject({ verdict: 'INVESTIGATE', exit_code: 2, reasons: ['b.yaml:3: name is missing'] })
  })

  test('knows no quarantine that is over', async () => {
    const late = { ...options, now: Date.parse('2026-07-01T00:00:00Z') }
    const over = await check([attemptOf(trace, { outcome: 'failed' })], [accepted([trace])], { ...late, quarantine })
    expect(over.quarantine).toBeNull()
    const still = await check([attemptOf(trace, { outcome: 'failed' })], [accepted([trace])], { quarantine })
    expect(still.quarantine).toEqual(quarantine)
  })

  test('is green only when something was tested and nothing that was is bad, whatever the cases are', async () => {
    const [fine] = await cases('PASSED')
    const states = constantFrom<CheckState>(
      'PASSED',
      'OUTPUT_CHANGED',
      'TOOLS_CHANGED',
      'REGRESSION',
      'MODEL_CHANGED',
      'NO_BASELINE',
      'NOT_EVALUATED',
    )
    assert(
      property(array(states, { maxLength: 6 }), (found) => {
        const checks = found.flatMap((state) => (fine ? [{ ...fine, state }] : []))
        const { exit_code: code, verdict, counts } = release(checks, gate)
        const bad = found.some((state) => ['REGRESSION', 'NO_BASELINE', 'NOT_EVALUATED'].includes(state))
        expect(code === 0).toBe(found.length > 0 && !bad)
        expect(verdict === 'SAFE_TO_SHIP').toBe(found.length > 0 && found.every((state) => state === 'PASSED'))
        expect(Object.values(counts).reduce((a, b) => a + b, 0)).toBe(found.length)
      }),
    )
  })
})
