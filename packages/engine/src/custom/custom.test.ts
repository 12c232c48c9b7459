import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine } from '../create-engine.ts'
import type { Engine } from '../engine.ts'
import { type CustomFunction, customEvaluator, type CustomOptions, functionEvaluator } from './custom.ts'

async function scored(
  judge: (...given: Parameters<CustomFunction>) => unknown,
  options: Partial<CustomOptions> = {},
  input: Record<string, unknown> = {},
) {
  const engine = createEngine({ evaluators: [functionEvaluator(judge, { slug: 'mine', ...options })] })
  try {
    return await engine.evaluate({ evaluator: 'mine', input })
  } finally {
    await engine.close()
  }
}

describe('a function as an evaluator', () => {
  it.each([
    [0.75, 0.75, true],
    [0.25, 0.25, false],
    [true, 1, true],
    [false, 0, false],
    [{ score: 0.9, passed: false }, 0.9, false],
    [{ score: true }, 1, true],
    [{ passed: true }, 1, true],
    [{ label: 'spam' }, null, null],
  ])('may return %j', async (said, value, passed) => {
    expect(await scored(() => said)).toMatchObject({ outcome: 'scored', value, passed })
    expect(await scored(async () => said)).toMatchObject({ outcome: 'scored', value, passed })
  })

  it.each([
    ['NaN', () => Number.NaN],
    ['Infinity', () => Infinity],
    ['7', () => 7],
    ['-1', () => ({ score: -1 })],
    ['a string', () => '1'],
    ['nothing', () => undefined],
    ['null', () => null],
    ['an array', () => [1]],
    ['an empty object', () => ({})],
    ['an object with a string', () => ({ score: '1' })],
  ])('that returns %s gives no score', async (_what, judge) => {
    expect(await scored(judge)).toMatchObject({ outcome: 'errored', fault: 'refused_value', value: null })
  })

  it('that throws gives no score, and says why', async () => {
    const failing = () => {
      throw new Error('no such table')
    }
    expect(await scored(failing)).toMatchObject({
      fault: 'threw',
      explanation: expect.stringContaining('no such table'),
    })
    expect(await scored(() => Promise.reject(new Error('late')))).toMatchObject({ fault: 'threw' })
  })

  it('gets all fields of the case, and what was observed of the request', async () => {
    const seen: unknown[] = []
    const judge: CustomFunction = (given, observed) => seen.push(given, observed) > 0
    await scored(judge, {}, { response: 'Hi', tokens: 3, audience: 'children' })
    expect(seen).toEqual([
      { response: 'Hi', tokens: 3, audience: 'children' },
      { response: 'Hi', tokens: 3 },
    ])
  })

  it('may need evidence, also under its other names', async () => {
    const options = { needs: ['response' as const] }
    expect(await scored((_, { response }) => response === 'Hi', options, { completion: 'Hi' })).toMatchObject({
      value: 1,
    })
    const engine = createEngine({ evaluators: [customEvaluator(() => 1, { slug: 'mine', ...options })] })
    expect(engine.check({ evaluator: 'mine', input: {} })).toEqual([{ path: 'input.response', message: 'is required' }])
    await engine.close()
  })

  it('may have a range and a threshold of its own', async () => {
    const options = { range: { min: 0, max: null }, threshold: 100 }
    expect(await scored(() => 250, options)).toMatchObject({ value: 250, passed: true })
    expect(await scored(() => 50, options)).toMatchObject({ value: 50, passed: false })
  })

  describe('is under a version', () => {
    let engine: Engine
    beforeAll(() => {
      const of = (slug: string, version?: string) => customEvaluator(() => 1, { slug, ...(version ? { version } : {}) })
      engine = createEngine({ evaluators: [of('none'), of('one', '1'), of('two', '2')] })
    })
    afterAll(async () => engine.close())

    it('only when it says so', () => {
      expect(engine.info('none')?.pinned).toBe(false)
      expect(engine.info('one')?.pinned).toBe(true)
      expect(engine.info('one')?.source).toBe('custom')
      expect(engine.info('one')?.version).not.toBe(engine.info('two')?.version)
    })
  })
})
