import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gateOutcomes } from '@llm-eval/protocol'
import { runComparison } from '@llm-eval/protocol/run-schemas'
import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { folder, llmEval, sharedServer } from './stage.ts'

const server = sharedServer()

const options = (cwd = import.meta.dirname) => ({ cwd, env: { LLM_EVAL_URL: server.url() } })

async function done(args: string[], input = ''): Promise<void> {
  const { code, err } = await llmEval(args, { ...options(), input })
  if (code !== 0) throw new Error(err)
}

async function makeDataset(slug: string, rows: object[]): Promise<void> {
  const input = rows.map((row) => JSON.stringify(row)).join('\n')
  await done(['datasets', 'import', '-', '--dataset', slug, '--format', 'jsonl'], input)
}

const rows = Array.from({ length: 20 }, (_, n) => {
  const input = `question ${n}`
  return { id: `case-${n}`, input, expected: input, right: input, wrong: n < 16 ? 'no' : input }
})

const long = `The quick brown fox jumps over the lazy dog. ${'It is what it is, and so it shall be. '.repeat(20)}`
const hostile = '\u001b[2J``` ````\n</details>@everyone ]]> <b>\u202e'
const texts = [
  { id: 'long', input: 'a', expected: long, right: long, wrong: long.replace('quick', 'slow') },
  { id: '</summary><img>', input: 'b', expected: hostile, right: hostile, wrong: `${hostile}\r\n# not this` },
]

beforeAll(async () => {
  await makeDataset('texts', texts)
  await makeDataset('twenty', rows)
  await makeDataset('fewer', rows.slice(0, 15))
  for (const [id, dataset, column] of [
    ['base', 'twenty', 'right'],
    ['same', 'twenty', 'right'],
    ['worse', 'twenty', 'wrong'],
    ['fewer', 'fewer', 'right'],
    ['said', 'texts', 'right'],
    ['said-again', 'texts', 'right'],
    ['unsaid', 'texts', 'wrong'],
  ] as const)
    await done(
      ['runs', 'start', '--dataset', dataset, '--outputs', column, '-m', 'exact-match'].concat('--id', id, '--watch'),
    )
})

const mine = { evaluator: 'mine', direction: 'higher', evaluator_version: '1' }

async function apiCall(method: string, path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(server.url() + path, { method, headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(await answer.text())
}

const compare = (...args: string[]) => llmEval(['compare', ...args], options())

const told = z.object({
  comparison: runComparison.nullable(),
  gate: z
    .object({
      outcome: z.enum(gateOutcomes),
      reasons: z.array(z.object({ outcome: z.enum(gateOutcomes), metric: z.string().nullable(), message: z.string() })),
    })
    .nullable(),
})

describe('llm-eval compare', () => {
  test('shows each metric before and after, the cases that became worse, and a verdict of one line', async () => {
    const { code, out, err } = await compare('base', 'worse', '--cases', '3')
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(
      /^worse against base\nMETRIC +VERDICT +BEFORE +AFTER +CHANGE +95 % +P +N +MDE +\+\/-\/= +TEST\n/,
    )
    expect(out).toMatch(
      /\nexact-match +worse +1 +0\.2 +-0\.8 +-\S+ to -\S+ +<?0\.\d+ +20 +\S+ +0\/16\/4 +mcnemar exact\n/,
    )
    expect(out).toMatch(/\nlatency \(ms\) +/)
    expect(out).toMatch(/CASES THAT BECAME WORSE +exact-match\n(case-\d+ +1 → 0\n){3}\n/)
    expect(out).toContain('\n20 of 20 cases are in all runs.')
    expect(out).toMatch(/\nAgainst base, worse: worse in exact-match\.\n$/)
  })

  test('holds several runs against the first', async () => {
    const { out } = await compare('base', 'same', 'worse', '--json', '--level', '0.9')
    const { comparison, gate } = told.parse(JSON.parse(out))
    expect(gate).toBeNull()
    expect(comparison?.runs).toEqual(['base', 'same', 'worse'])
    expect(comparison?.compared.map(({ metrics }) => metrics[0]?.verdict)).toEqual([
      'no_detectable_difference',
      'worse',
    ])
    expect(comparison?.compared[1]?.metrics[0]?.difference?.level).toBe(0.9)
  })

  test('ends with 0 where the gate passes, and with 1 where it fails', async () => {
    const passed = await compare('base', 'same', '--fail-on', 'regression', '--min', 'exact-match=1')
    expect(passed.code, passed.out).toBe(0)
    expect(passed.out).toMatch(/\n {2}passed {2}exact-match of same: .*\n.*\nGate: passed\.\n$/)
    const regressed = await compare('base', 'worse', '--fail-on', 'regression')
    expect([regressed.code, regressed.out]).toEqual([
      1,
      expect.stringMatching(/\n {2}failed {2}exact-match of worse: worse, from 1 to 0\.2, .*\nGate: failed\.\n$/),
    ])
    const below = await compare('base', 'same', 'worse', '--min', 'exact-match=0.5', '--max', 'exact-match=1')
    expect(below.code).toBe(1)
    expect(below.out).toMatch(/\n {2}passed {2}same: exact-match: .*\n/)
    expect(below.out).toMatch(/\n {2}failed {2}worse: exact-match: its mean is 0\.2 .*, and not at least 0\.5\.\n/)
  })

  test('ends with 3 where scores are missing, or nobody can tell', async () => {
    const missing = await compare('base', 'fewer', '--fail-on', 'regression')
    expect([missing.code, missing.out]).toEqual([
      3,
      expect.stringContaining('5 cases that had a score before have none.'),
    ])
    expect(missing.out).toMatch(/\nexact-match .* 5 missing; /)
    expect(missing.out).toMatch(/\nGate: cannot be told\.\n$/)
    const unknown = await compare('base', 'same', '--min', 'faithfulness=0.1')
    expect([unknown.code, unknown.out]).toEqual([
      3,
      expect.stringContaining('faithfulness: the run has no such metric.'),
    ])
    // A failure counts more than a doubt.
    expect((await compare('base', 'worse', '--fail-on', 'regression', '--min', 'nobody=1')).code).toBe(1)
    expect((await compare('same', '--fail-on', 'regression')).code).toBe(3)
  })

  test('holds a single run against bounds', async () => {
    expect((await compare('worse', '--min', 'exact-match=0.2')).code).toBe(0)
    expect((await compare('worse', '--max', 'exact-match=0.1')).code).toBe(1)
    const { out } = await compare('worse', '--min', 'exact-match=0.3', '--json')
    expect(told.parse(JSON.parse(out))).toMatchObject({ comparison: null, gate: { outcome: 'fail' } })
  })

  test('writes a summary as Markdown and what was asked as JUnit XML', async () => {
    const given = options(folder())
    const gates = ['--fail-on', 'regression', '--min', 'a<"b">=1', '--junit', 'gate.xml']
    const { code, out } = await llmEval(['compare', 'base', 'worse', ...gates, '--markdown'], given)
    expect(code).toBe(1)
    expect(out).toMatch(
      /^\*\*Gate: failed\*\*\n\n- failed: exact-match of worse: worse, .*\n- cannot be told: a\\<"b"\\>: /,
    )
    expect(out).toMatch(
      /\n\| exact-match \| worse \| 1 \| 0\.2 \| -0\.8 \| \S+ to \S+ \| \S+ \| 20 \| \S+ \| mcnemar exact \|\n/,
    )
    expect(out).toMatch(/\n<details><summary><code>case-\d+: exact-match 1 → 0<\/code><\/summary>\n/)
    expect(out).toContain('\n```diff\n  expected: question 0\n- question 0\n+ no\n```\n\n</details>\n')
    const xml = readFileSync(join(given.cwd, 'gate.xml'), 'utf8')
    expect(xml).toContain('<testsuite name="llm-eval compare" tests="12" failures="11" errors="1">')
    expect(xml).toMatch(
      /<testcase name="exact-match" classname="llm-eval\.compare"><failure message="exact-match of worse: /,
    )
    expect(xml).toContain('<testcase name="a&lt;&quot;b&quot;&gt;" classname="llm-eval.compare"><error message="a&lt;')
  })

  test('shows what was expected and answered in the cases that became worse, and what changed', async () => {
    const { out } = await compare('said', 'unsaid', '--cases', '3')
    expect(out).toMatch(
      /\nlong in said and unsaid\n {2}expected {2}The quick brown fox [\s\S]*\n {2}before {4}The quick /,
    )
    expect(out).toContain('[-quick-]{+slow+}')
    expect((await compare('said', 'unsaid', '--no-texts')).out).not.toContain('brown')
    // Several runs: the one in which the case became worst.
    expect((await compare('said', 'said-again', 'unsaid')).out).toContain('\nlong in said and unsaid\n')
    expect((await compare('said', 'said-again')).out).not.toContain('in said and')
  })

  test('keeps foreign text from steering terminals, Markdown and XML', async () => {
    const given = options(folder())
    const gates = ['--min', 'exact-match=0', '--junit', 'gate.xml']
    const plain = await llmEval(['compare', 'said', 'unsaid', ...gates], given)
    const markdown = await llmEval(['compare', 'said', 'unsaid', '--markdown'], given)
    const xml = readFileSync(join(given.cwd, 'gate.xml'), 'utf8')
    for (const text of [plain.out, markdown.out, xml]) {
      // oxlint-disable-next-line no-control-regex
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
      expect(text).toContain('\\u001b[2J')
    }
    const fenced = markdown.out.slice(markdown.out.indexOf('`````diff'))
    expect(fenced).toMatch(/^`````diff\n(?:[ +-] ?.*\n)+`````\n\n<\/details>/)
    expect(markdown.out).toContain('<code>&lt;/summary&gt;&lt;img&gt;: exact-match 1 → 0</code>')
    // The gate is green, and no test of a case is red.
    expect(plain.code).toBe(0)
    expect(xml).toContain('failures="0" errors="0"')
    expect(xml).toMatch(/<testcase name="&lt;\/summary&gt;&lt;img&gt;" classname="llm-eval.compare.cases"><system-out>/)
    expect(xml).toContain(']]&gt;')
  })

  test('says of runs that are not complete what they are, and passes them only where it is asked to', async () => {
    await apiCall('POST', '/api/v1/runs', { run_id: 'half', name: 'half', total_items: 9, metrics_used: [mine] })
    await apiCall('POST', '/api/v1/runs', { run_id: 'whole', name: 'whole', total_items: 9, metrics_used: [mine] })
    const items = Array.from({ length: 9 }, (_, n) => {
      const scores = { mine: { value: n } }
      const place = { item_index: n, case_id: `c${n}`, event_id: `${n}`, sequence: n }
      return { type: 'item_finished', ...place, status: 'success', input: n, output: n, scores }
    })
    const end = { type: 'run_ended', event_id: 'end', sequence: 9 }
    await apiCall('POST', '/api/v1/runs/whole/events', { schema_version: 1, events: [...items, end] })
    await apiCall('POST', '/api/v1/runs/half/events', { schema_version: 1, events: items.slice(0, 8) })
    const refused = await compare('whole', 'half', '--fail-on', 'regression')
    expect([refused.code, refused.out]).toEqual([3, expect.stringContaining('half: the run is running, with 8 of 9')])
    expect(refused.out).toContain('\nNote: half: the run is running')
    const allowed = await compare('whole', 'half', '--fail-on', 'regression', '--allow-partial')
    expect([allowed.code, allowed.out]).toEqual([0, expect.stringContaining('\nNote: half: the run is running')])
  })

  test('tells in its one line also what became slower, or costs more', async () => {
    for (const [id, ms, cost] of [
      ['cheap', 200, 0.001],
      ['dear', 100, 0.002],
    ] as const) {
      await apiCall('POST', '/api/v1/runs', { run_id: id, name: id, total_items: 20, metrics_used: [mine] })
      const events = Array.from({ length: 20 }, (_, n) => {
        const place = { item_index: n, case_id: `c${n}`, event_id: `${n}`, sequence: n }
        const used = { response_time_ms: ms + (n % 3), cost }
        return { type: 'item_finished', ...place, ...used, status: 'success', input: n, output: n, scores: {} }
      })
      const end = { type: 'run_ended', event_id: 'end', sequence: 20 }
      await apiCall('POST', `/api/v1/runs/${id}/events`, { schema_version: 1, events: [...events, end] })
    }
    const { out } = await compare('cheap', 'dear')
    expect(out).toMatch(/\nAgainst cheap, dear: not enough data in mine; faster; costs more\.\n$/)
  })

  test.each([
    [['base'], 'Name a run to compare it with'],
    [['base', 'base'], 'It is named twice: base.'],
    [['base', 'nobody'], '`llm-eval runs list` shows what there is.'],
    [['nobody', '--min', 'exact-match=1'], '`llm-eval runs list` shows what there is.'],
    [['base', 'same', '--min', 'exact-match'], 'Give a metric and a number: rouge-l=0.9.'],
    [['base', 'same', '--min', 'exact-match='], 'Give a metric and a number: rouge-l=0.9.'],
    [['base', 'same', '--level', '1'], 'between 0 and 1'],
    [['base', 'same', '--fail-on', 'anything'], 'Allowed choices are regression'],
    [['base', 'same', '--sort-by', 'nobody'], 'sort_by: must be a metric of the runs'],
    [['base', 'same', '--junit', 'x.xml'], 'say --fail-on regression, --min or --max'],
    [['base', 'same', '--min', 'exact-match=1', '--junit', 'gone/x.xml'], 'it is not there'],
    [Array.from({ length: 11 }, (_, n) => `r${n}`), 'At most 10 runs can be compared.'],
  ])('%j is told with 2', async (args, words) => {
    const { code, err } = await compare(...args)
    expect(code, err).toBe(2)
    expect(err).toContain(words)
  })
})
