import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, describe, test } from 'vitest'
import { file, fresh, itemsOf, read, told, place } from './evaluations.ts'
import { llmEval, sharedServer } from './stage.ts'

const server = sharedServer()
const here = (files: Record<string, string>) => place(files, server.url())

describe('llm-eval run', () => {
  test('evaluates a file, and shows its metrics, a verdict and what to do next', async () => {
    const name = fresh()
    const given = here({ 'eval.mjs': file(name, { task: '(input) => (input === "in 1" ? "no" : input)' }) })
    const first = await llmEval(['run', 'eval.mjs'], given)
    expect(first.code).toBe(0)
    expect(first.out).toMatch(/^Run +evaluation-.*\nStatus +completed\n/)
    expect(first.out).toMatch(/\nexact-match +0\.6667 +0\.\d+ to 0\.\d+ +3 +100 % +66\.7 % +0 +0\n/)
    expect(first.out).toMatch(/\nCompleted: 3 items, 100 % without an error; exact-match 0\.6667\.\n/)
    const id = /Next: llm-eval runs show (\S+)\n$/.exec(first.out)?.[1] ?? ''
    expect(first.out).toContain(`\n${server.url()}/runs/${id}\n`)
    expect(await itemsOf(server.url(), id)).toMatchObject([
      { case_id: 'c0', output: 'in 0', scores: { 'exact-match': { value: 1 } } },
      { case_id: 'c1', output: 'no', scores: { 'exact-match': { value: 0 } } },
      { case_id: 'c2', output: 'in 2' },
    ])
    const second = await llmEval(['run', 'eval.mjs'], given)
    expect(second.out).toMatch(new RegExp(`\nNext: llm-eval compare ${id} evaluation-\\S+\n$`))
  })

  test('on a terminal draws what it finished over itself, and leaves nothing of that', async () => {
    const name = fresh()
    const given = here({
      'eval.mjs': file(name, {
        cases: 40,
        task: '(input) => new Promise((resolve) => setImmediate(() => resolve(input)))',
      }),
    })
    const { code, out, err } = await llmEval(['run', 'eval.mjs'], {
      ...given,
      columns: 60,
      env: { ...given.env, NO_COLOR: '1' },
    })
    expect([code, out]).toEqual([0, expect.stringContaining('Completed: 40 items, 100 % without an error')])
    expect(err).toMatch(/^─{24} {2}0 %, 0\/40 items\n/)
    expect(err).toMatch(/\n {2}exact-match {2}-/)
    expect(err.endsWith('\u001b[1A\r\u001b[J')).toBe(true)
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(90)
  })

  test('tells everything as one line of JSON for each evaluation', async () => {
    const [one, two] = [fresh(), fresh()]
    const given = here({
      'eval.mjs': `const common = { dataset: ['a', 'b'], task: (input) => input, metrics: [{ name: 'right', evaluator: ({ output }) => output === 'a', version: '1' }] }
        export default [{ name: ${JSON.stringify(one)}, ...common }, { name: ${JSON.stringify(two)}, ...common, gate: { min: { right: 0.9 } } }]`,
    })
    const { code, out } = await llmEval(['run', 'eval.mjs', '--json'], given)
    expect(code).toBe(1)
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => told.parse(JSON.parse(line)))
    expect(lines).toMatchObject([
      { exit_code: 0, gate: null, comparison: null, previous_run_id: null, run: { name: one, completed_items: 2 } },
      { exit_code: 1, gate: { outcome: 'fail' }, run: { name: two, metrics: { right: { mean: 0.5, n: 2 } } } },
    ])
  })

  test('what tasks print stays out of the results', async () => {
    const task = '(input) => { console.log("asked %s", input); console.warn({ loud: true }); return input }'
    const given = here({ 'eval.mjs': `console.info('loaded')\n${file(fresh(), { cases: 1, task })}` })
    const { log } = console
    const ended = await llmEval(['run', 'eval.mjs', '--json'], given)
    expect([read(ended).exit_code, ended.err]).toEqual([0, 'loaded\nasked in 0\n{ loud: true }\n'])
    expect(console.log).toBe(log)
  })

  test('takes what a file exports by name, files of a directory, and several files; a table sums them up', async () => {
    const [one, two, three] = [fresh(), fresh(), fresh()]
    const body = (name: string) => file(name).replace('export default', 'export const named =')
    const given = here({
      'one.eval.mjs': body(one),
      'two.eval.js': file(two, { task: '() => "wrong"' }),
      'other.mjs': file(three),
    })
    writeFileSync(join(given.cwd, 'package.json'), '{"type":"module"}')
    const all = await llmEval(['run', '.', 'other.mjs', '--min', 'exact-match=0.5'], given)
    expect(all.code).toBe(1)
    const rows = all.out.slice(all.out.indexOf('EVALUATION'))
    expect(rows).toMatch(/^EVALUATION +RUN +EXIT +VERDICT\n/)
    expect(rows).toMatch(new RegExp(`\n${one} +\\S+ +0  Passed the gate: `))
    expect(rows).toMatch(new RegExp(`\n${two} +\\S+ +1  Failed the gate: `))
    expect(rows).toMatch(new RegExp(`\n${three} +\\S+ +0  Passed the gate: `))
    expect(all.err).toContain(`${one}\n`)
  })

  test('an evaluation without a name is called as its file, or the folder of an eval.mjs', async () => {
    const nameless = `export default { dataset: ['a'], task: (input) => input, metrics: ['char-count'] }`
    const given = here({ 'greetings.eval.mjs': nameless })
    expect(read(await llmEval(['run', 'greetings.eval.mjs', '--json'], given)).run.name).toBe('greetings')
  })
})

describe('its flags', () => {
  test('go over what the file says, and stand with the run', async () => {
    const name = fresh()
    const given = here({
      'eval.mjs': file(name, {
        cases: 9,
        more: 'concurrency: 2, repetitions: 1, tags: ["of-file"], metadata: { a: 1 }, config: { temperature: 0.5 }',
      }),
    })
    const flags = [
      '--limit',
      '4',
      '--repeat',
      '2',
      '--concurrency',
      '3',
      '--timeout',
      '7s',
      '--retries',
      '1',
      '--tag',
      'flag',
      '--name',
      `${name} other`,
    ]
    const { run } = read(await llmEval(['run', 'eval.mjs', '--json', ...flags], given))
    expect(run).toMatchObject({
      name: `${name} other`,
      total_items: 8,
      completed_items: 8,
      settings: { repetitions: 2, concurrency: 3, timeout_ms: 7_000, retries: 1 },
      tags: ['of-file', 'flag'],
      metadata: { a: 1, case_limit: 4 },
      config: { temperature: 0.5 },
    })
    const items = await itemsOf(server.url(), run.run_id)
    expect(items.map(({ case_id: id, repetition }) => `${id} ${repetition}`)).toEqual(
      ['c0', 'c1', 'c2', 'c3'].flatMap((id) => [`${id} 1`, `${id} 2`]),
    )
  })

  test('--concurrency holds, and --retries asks again', async () => {
    const given = here({
      'eval.mjs': `let now = 0, most = 0; const asked = new Map()
        const task = async (input, { attempt }) => {
          most = Math.max(most, ++now)
          await new Promise((resolve) => setImmediate(resolve))
          now--
          if (attempt === 1 && input === 'c') throw new Error('at first')
          return most
        }
        export default { name: ${JSON.stringify(fresh())}, dataset: [...'abcdefgh'], task, metrics: ['char-count'] }`,
    })
    const { run, exit_code: code } = read(
      await llmEval(['run', 'eval.mjs', '--json', '--concurrency', '3', '--retries', '1'], given),
    )
    expect([code, run.successful_items]).toEqual([0, 8])
    const items = await itemsOf(server.url(), run.run_id)
    expect(Math.max(...items.map(({ output }) => Number(output)))).toBe(3)
    expect(items.map(({ attempts }) => attempts)).toEqual([1, 1, 2, 1, 1, 1, 1, 1])
  })

  test.each([
    [['--limit', '0'], 'Give a whole number from 1'],
    [['--repeat', 'often'], 'Give a whole number from 1'],
    [['--concurrency', '1000000'], 'Give a whole number from 1'],
    [['--timeout', 'soon'], 'Give a time from 1s'],
    [['--min', 'exact-match'], 'Give a metric and a number'],
    [['--min', 'exact-match=high'], 'Give a metric and a number'],
    [['--fail-on', 'anything'], 'Allowed choices are regression'],
    [['--reped', '2'], 'Did you mean --repeat?'],
    [['--watch', '--resume'], '--watch begins a run with every change'],
  ])('%j ends with 2 and says what is possible, before anything is asked', async (flags, words) => {
    const given = here({ 'eval.mjs': file(fresh(), { task: '() => { throw new Error("asked") }' }) })
    const { code, out, err } = await llmEval(['run', 'eval.mjs', ...flags], given)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(words)
  })
})

describe('its verdict', () => {
  const run = async (body: string, ...flags: string[]) =>
    llmEval(['run', 'eval.mjs', ...flags], here({ 'eval.mjs': body }))
  const right = '(input) => input'
  const half = '(input) => (Number(input.slice(3)) % 2 === 0 ? input : "wrong")'

  test.each([
    ['a mean that is high enough', right, ['--min', 'exact-match=1'], 0, 'Passed the gate: '],
    ['a mean that is too low', half, ['--min', 'exact-match=0.9'], 1, 'Failed the gate: '],
    ['a mean that is too high', right, ['--max', 'exact-match=0.5'], 1, 'Failed the gate: '],
    [
      'a task that throws',
      '() => { throw new Error("no model") }',
      [],
      1,
      'Failed: 4 items without an answer; 4 items, 0 %',
    ],
    [
      'a task that throws once',
      '(input) => { if (input === "in 1") throw new Error("no"); return input }',
      [],
      1,
      'Failed: 1 item without',
    ],
    [
      'as many failures as may be',
      '(input) => { if (input === "in 1") throw new Error("no"); return input }',
      ['--allow-failed', '1'],
      0,
      'Completed: ',
    ],
    [
      'failures that a gate needs',
      '(input) => { if (input === "in 1") throw new Error("no"); return input }',
      ['--allow-failed', '1', '--min', 'exact-match=0.5'],
      3,
      'The gate cannot tell: ',
    ],
    ['no run to regress from', right, ['--fail-on', 'regression'], 3, 'There is no earlier whole run of this name'],
  ])('of %s', async (...[, task, flags, code, words]) => {
    const ended = await run(file(fresh(), { cases: 4, task }), ...flags)
    expect(ended.out).toContain(words)
    expect(ended.code).toBe(code)
  })

  test.each([
    [
      'an evaluator that fails',
      `metrics: [function judge() { throw new Error('out of order') }],`,
      'judge could not score 3 items',
    ],
    ['an evaluator without evidence', `metrics: ['tool-calls'], dataset: ['a'],`, 'scored nothing'],
    [
      'a run that ends early',
      `task: (output) => ({ output, cost: 1 }), limits: { cost: 0.5 }, concurrency: 1,`,
      'the run ended early (cost limit)',
    ],
  ])('of %s is that it cannot be told', async (_what, more, words) => {
    const { code, out } = await run(file(fresh(), { more }))
    expect(out).toContain(words)
    expect(code).toBe(3)
  })

  test('of a regression is said by the run before it, or the one that is named', async () => {
    const name = fresh()
    const given = here({
      'good.mjs': file(name, { cases: 40 }),
      'bad.mjs': file(name, { cases: 40, task: half }),
      'gated.mjs': file(name, { cases: 40, more: 'gate: { failOn: "regression" }' }),
    })
    const good = read(await llmEval(['run', 'good.mjs', '--json'], given))
    const same = await llmEval(['run', 'gated.mjs'], given)
    expect([same.code, same.out]).toEqual([0, expect.stringContaining('no detectable difference')])
    const worse = read(await llmEval(['run', 'bad.mjs', '--json', '--fail-on', 'regression'], given))
    expect([worse.exit_code, worse.gate?.outcome]).toEqual([1, 'fail'])
    expect(worse.gate?.reasons[0]?.message).toMatch(/^exact-match of .*: worse, from 1 to 0\.5/)
    // The one before was the worse one.
    const flags = ['--json', '--fail-on', 'regression', '--baseline']
    expect(read(await llmEval(['run', 'good.mjs', ...flags, worse.run.run_id], given)).exit_code).toBe(0)
    expect(read(await llmEval(['run', 'bad.mjs', ...flags, good.run.run_id], given)).exit_code).toBe(1)
    const shown = await llmEval(['run', 'good.mjs', '--baseline', worse.run.run_id], given)
    expect([shown.code, shown.out]).toEqual([0, expect.stringContaining(`Against ${worse.run.run_id}, `)])
    const unknown = await llmEval(['run', 'good.mjs', ...flags, 'no-such-run'], given)
    expect([unknown.code, unknown.out]).toEqual([2, ''])
  })

  test('of bounds in the file holds, and flags go over them', async () => {
    const body = file(fresh(), { task: half, more: 'gate: { min: { "exact-match": 0.9 } }' })
    expect((await run(body)).code).toBe(1)
    expect((await run(body, '--min', 'exact-match=0.5')).code).toBe(0)
  })
})
