import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine } from '../create-engine.ts'
import type { Engine } from '../engine.ts'
import { type LoadedEvaluators, loadEvaluators } from './module.ts'

const source = `
export function isShort(given: { response: string }): boolean {
  return given.response.length < 10
}
export const polite = {
  version: '3',
  description: 'Whether it says please.',
  needs: ['response'],
  threshold: 0.9,
  politeWords: ['please'],
  async score(_given: unknown, observed: { response: string }) {
    return { score: this.politeWords.some((word) => observed.response.includes(word)) ? 1 : 0, explanation: 'looked for please' }
  },
}
export const throws = () => { throw new TypeError('cannot read it') }
export const hangs = Object.assign(() => new Promise(() => {}), { seconds: 0.2 })
export const loops = Object.assign(() => { for (;;); }, { seconds: 0.2 })
export const isNaN_ = () => NaN
export const seven = () => 7
export const unsendable = () => ({ score: 1, output: { judge: () => 1 } })
export const exits = () => process.exit(3)
export const greedy = () => { const all = []; for (;;) all.push(new Array(100_000).fill(Math.random())) }
export const LIMIT = 10
export default isShort
`

let folder: string
let loaded: LoadedEvaluators
let engine: Engine

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evaluators-'))
  loaded = await loadEvaluators([write('mine.ts', source)], { threads: 1, seconds: 30, megabytes: 32 })
  engine = createEngine({ evaluators: loaded.evaluators })
})
afterAll(async () => {
  await engine.close()
  await loaded.close()
  rmSync(folder, { recursive: true })
})

const evaluate = (evaluator: string, response = 'Hi') => engine.evaluate({ evaluator, input: { response } })

describe('evaluators of a module', () => {
  it('are its named functions', () => {
    expect(loaded.evaluators.map(({ slug }) => slug).sort()).toEqual([
      'exits',
      'greedy',
      'hangs',
      'is-na-n',
      'is-short',
      'loops',
      'polite',
      'seven',
      'throws',
      'unsendable',
    ])
    expect(engine.info('polite')).toMatchObject({ pinned: true, kind: 'custom', needs: ['response'] })
    expect(engine.info('is-short')).toMatchObject({ pinned: false, description: 'The function isShort of mine.ts.' })
  })

  it('score', async () => {
    expect(await evaluate('is-short')).toMatchObject({ outcome: 'scored', value: 1, passed: true })
    expect(await evaluate('polite', 'Sit down, please.')).toMatchObject({ value: 1, explanation: 'looked for please' })
    expect(await evaluate('polite')).toMatchObject({ value: 0, passed: false })
  })

  it.each([
    ['throws', 'threw'],
    ['hangs', 'timeout'],
    ['loops', 'timeout'],
    ['is-na-n', 'refused_value'],
    ['seven', 'refused_value'],
    ['unsendable', 'threw'],
    ['exits', 'threw'],
    ['greedy', 'too_large'],
  ])('of which one %s give no score (%s), and the next ones do', async (slug, fault) => {
    expect(await evaluate(slug)).toMatchObject({ outcome: 'errored', fault, value: null, passed: null })
    expect(await evaluate('is-short')).toMatchObject({ outcome: 'scored', value: 1 })
  })

  it('do not touch what others wait for', async () => {
    const scores = await Promise.all([
      evaluate('loops'),
      evaluate('is-short'),
      evaluate('throws'),
      evaluate('is-short'),
    ])
    expect(scores.map(({ outcome }) => outcome)).toEqual(['errored', 'scored', 'errored', 'scored'])
  })

  it('can be given up', async () => {
    const giving = new AbortController()
    const judging = engine.evaluate({ evaluator: 'hangs', input: {} }, { signal: giving.signal })
    giving.abort()
    expect(await judging).toMatchObject({ outcome: 'errored', fault: 'cancelled' })
  })
})

describe('a module that cannot be used', () => {
  it.each([
    ['has a mistake', 'export const = 1', 'cannot be used'],
    ['throws', 'throw new Error("no database")', 'no database'],
    ['exports nothing', 'export const a = 1', 'exports no function'],
    ['has an unusable name', 'export const a = Object.assign(() => 1, { slug: "A b" })', 'no slug'],
    ['needs what nobody knows', 'export const a = { needs: ["luck"], score: () => 1 }', 'needs'],
  ])('because it %s is named', async (_what, text, says) => {
    const path = write('bad.mjs', text)
    const failed = await loadEvaluators([path]).catch((error: unknown) => String(error))
    expect(failed).toContain('bad.mjs cannot be used')
    expect(failed).toContain(says)
  })

  it('because it is not there is named', async () => {
    await expect(loadEvaluators([join(folder, 'nowhere.ts')])).rejects.toThrow('nowhere.ts cannot be used')
  })
})
