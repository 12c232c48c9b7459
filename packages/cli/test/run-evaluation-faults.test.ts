import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, describe, test } from 'vitest'
import { file, fresh, place } from './evaluations.ts'
import { llmEval, sharedServer } from './stage.ts'

const server = sharedServer()
const here = (files: Record<string, string>) => place(files, server.url())

describe('what cannot be evaluated ends with 2, and says why:', () => {
  test.each<[what: string, files: Record<string, string>, words: string | RegExp]>([
    ['a file that is not there', {}, /eval\.mjs cannot be read: it is not there/],
    [
      'a file that throws',
      { 'eval.mjs': '\nthrow new RangeError("no key")' },
      /eval\.mjs:2:7 throws while it is loaded: RangeError: no key/,
    ],
    [
      'a file that imports what is not there',
      { 'eval.mjs': 'import "./gone.mjs"' },
      /eval\.mjs cannot be loaded: Cannot find module .*gone\.mjs/,
    ],
    [
      'a file that exports nothing',
      { 'eval.mjs': 'const a = 1' },
      'eval.mjs exports no evaluation. Write: export default defineEvaluation(',
    ],
    [
      'an export that is none',
      { 'eval.mjs': 'export default 7' },
      'eval.mjs is no evaluation: it must be an object with',
    ],
    [
      'a misspelt member',
      {
        'eval.mjs':
          'export default { name: "x", dataset: ["a"], task: (a) => a, metrcis: ["bleu"], metrics: ["bleu"] }',
      },
      'metrcis is not known, did you mean metrics',
    ],
    ['a missing member', { 'eval.mjs': 'export default { name: "x", dataset: ["a"], task: (a) => a }' }, /metrics /],
    [
      'a wrong member',
      { 'eval.mjs': 'export default { name: "x", dataset: 5, task: "a", metrics: [], concurrency: 0 }' },
      /task must be a function; dataset must be a list or a generator of cases \(of a function what it returns\), .*; metrics must name at least one metric; concurrency /,
    ],
    [
      'a bound of no metric',
      { 'eval.mjs': file('x', { more: 'gate: { min: { "exact-mtach": 1 } }' }) },
      'x has no metric exact-mtach: its metrics are exact-match.',
    ],
    [
      'two evaluations of one name',
      {
        'eval.mjs':
          'const one = { name: "twice", dataset: ["a"], task: (a) => a, metrics: ["bleu"] }\nexport default [one, one]',
      },
      'Two evaluations are called twice.',
    ],
    ['an empty list', { 'eval.mjs': file('x', { cases: 0 }) }, 'The dataset holds no case: nothing can be evaluated.'],
    [
      'a generator without a case',
      { 'eval.mjs': file('x', { more: 'dataset: (function* () {})(),' }) },
      'Could not be evaluated: there was no case.',
    ],
    [
      'a generator that throws',
      { 'eval.mjs': file('x', { more: 'dataset: (function* () { yield "a"; throw new Error("no more") })(),' }) },
      /Could not be evaluated \(.*no more.*\)/,
    ],
    [
      'an empty file of cases',
      { 'eval.mjs': file('x', { more: 'dataset: "./cases.jsonl",' }), 'cases.jsonl': '\n\n' },
      /cases\.jsonl holds no case/,
    ],
    [
      'a file of cases that is not there',
      { 'eval.mjs': file('x', { more: 'dataset: "./cases.csv",' }) },
      /cases\.csv cannot be read: it is not there/,
    ],
    [
      'a broken line',
      { 'eval.mjs': file('x', { more: 'dataset: "./cases.jsonl",' }), 'cases.jsonl': '{"input":1}\n{"input":\n' },
      /cases\.jsonl, line 2 holds no JSON/,
    ],
    [
      'a broken record',
      { 'eval.mjs': file('x', { more: 'dataset: "./cases.csv",' }), 'cases.csv': 'id,input\na,b,c\n' },
      /cases\.csv, line 2: it has 3 cells/,
    ],
    [
      'JSON that is no list',
      { 'eval.mjs': file('x', { more: 'dataset: "./cases.json",' }), 'cases.json': '{}' },
      /cases\.json must hold a JSON array/,
    ],
    [
      'a dataset that the server does not have',
      { 'eval.mjs': file('x', { more: 'dataset: "no-such-dataset",' }) },
      /no-such-dataset/,
    ],
    [
      'an evaluator that nobody has',
      { 'eval.mjs': file('x', { more: 'metrics: ["no-such-evaluator"],' }) },
      /no-such-evaluator/,
    ],
    [
      'a metric without a name',
      { 'eval.mjs': file('x', { more: 'metrics: [() => 1],' }) },
      'a metric that is a function needs a name',
    ],
    ['nothing to resume', { 'eval.mjs': file('nothing to resume') }, 'no run is called nothing to resume'],
    [
      'a file of another kind',
      { 'eval.mjs': '' },
      'notes.txt is no evaluation file: it must end in .ts, .mts, .js, .mjs.',
    ],
    ['a directory without evaluations', { 'eval.mjs': '' }, 'holds no evaluation: no file is called eval.ts'],
  ])('%s', async (what, files, words) => {
    const given = here(files)
    const args: Record<string, string[]> = {
      'nothing to resume': ['eval.mjs', '--resume'],
      'a file of another kind': ['notes.txt'],
      'a directory without evaluations': ['empty'],
    }
    writeFileSync(join(given.cwd, 'notes.txt'), '')
    mkdirSync(join(given.cwd, 'empty'))
    const { code, out, err } = await llmEval(['run', ...(args[what] ?? ['eval.mjs'])], given)
    expect(`${out}${err}`).toMatch(words)
    expect(code).toBe(2)
  })

  test('a server that is named and does not answer', async () => {
    const given = here({ 'eval.mjs': file('x') })
    const { code, err } = await llmEval(['run', 'eval.mjs', '--url', 'http://127.0.0.1:1'], given)
    expect([code, err]).toEqual([2, expect.stringContaining('With --local the results stay in the data directory.')])
  })

  test('a report that cannot be written', async () => {
    const given = here({ 'eval.mjs': file(fresh()) })
    const { code, err } = await llmEval(['run', 'eval.mjs', '--junit', 'eval.mjs/a.xml'], given)
    expect([code, err]).toEqual([2, expect.stringMatching(/a\.xml cannot be written: /)])
  })
})

describe('a task', () => {
  test('that throws, hangs, gives nothing, a ring or too much fails its own item, and each is told', async () => {
    const task = `(input) => {
      if (input === 'in 0') throw new TypeError('broken')
      if (input === 'in 1') return new Promise(() => undefined)
      if (input === 'in 2') return undefined
      if (input === 'in 3') { const ring = {}; ring.ring = ring; return ring }
      if (input === 'in 4') return 'x'.repeat(10_000_000)
      return input
    }`
    const given = here({ 'eval.mjs': file(fresh(), { cases: 6, task }) })
    const { code, out, err } = await llmEval(['run', 'eval.mjs', '--timeout', '1s'], given)
    expect(code).toBe(1)
    expect(out).toContain('Failed: 5 items without an answer; 6 items, 16.7 % without an error')
    for (const words of [
      /^failed +c0 +execution_failed: .*broken/m,
      /^failed +c1 +timeout: /m,
      /^failed +c2 +invalid_output: /m,
      /^failed +c3 +invalid_output: /m,
      /^failed +c4 +too_large: /m,
    ])
      expect(err).toMatch(words)
  })

  test('that always fails is told of ten times', async () => {
    const given = here({ 'eval.mjs': file(fresh(), { cases: 50, task: '() => { throw new Error("no") }' }) })
    const { err } = await llmEval(['run', 'eval.mjs'], given)
    expect(err.match(/^failed /gm)).toHaveLength(11)
    expect(err).toContain('More items fail; they are counted, and told at the end.')
  })
})
