import { afterAll, describe, expect, it } from 'vitest'
import { createEngine } from './create-engine.ts'
import type { Prepared } from './engine.ts'

const engine = createEngine()
const hasty = createEngine({ seconds: { code: 0.3, judge: 0.3 } })
afterAll(() => Promise.all([engine.close(), hasty.close()]))

const prepared = (...asked: Parameters<typeof engine.prepare>) => preparedBy(engine, ...asked)

function preparedBy(by: typeof engine, ...asked: Parameters<typeof engine.prepare>): Prepared {
  const found = by.prepare(...asked)
  if (!found || 'faults' in found) throw new Error(`${JSON.stringify(asked)} cannot be prepared`)
  return found.prepared
}

describe('an evaluator that is prepared', () => {
  it('scores as the engine does, and carries the version of its configuration', async () => {
    const config = { ignore_case: true }
    const input = { response: 'PARIS', reference: 'Paris' }
    const exact = prepared('exact_match', config)
    const score = await exact.evaluate(input)
    const { duration_ms: _, ...expected } = await engine.evaluate({ evaluator: 'exact-match', input, config })
    expect(score).toMatchObject(expected)
    expect(exact.info.version).toBe(engine.info('exact-match', config)?.version)
    expect(exact.info.version).not.toBe(engine.info('exact-match')?.version)
  })

  it('gives its score at once where it has it at once, and later where it needs a thread', async () => {
    const regex = prepared('regex-validator', { regex: '^\\d+$' })
    const soon = regex.evaluate({ text: '4711' })
    expect(soon).not.toBeInstanceOf(Promise)
    expect(await soon).toMatchObject({ value: 1 })
    const long = regex.evaluate({ text: '1'.repeat(5_000) })
    expect(long).toBeInstanceOf(Promise)
    expect(await long).toMatchObject({ value: 1 })
  })

  it('holds nobody up with a pattern that never ends, on whatever text', async () => {
    const endless = preparedBy(hasty, 'regex-validator', { regex: '^(a+)+$' }).evaluate({ text: `${'a'.repeat(40)}!` })
    expect(endless).toBeInstanceOf(Promise)
    expect(await endless).toMatchObject({ outcome: 'errored', fault: 'timeout' })
  })

  it('skips what lacks evidence, and refuses an input that does', () => {
    const exact = prepared('exact-match')
    expect(exact.evaluate({}, { evidence: 'trace' })).toMatchObject({ outcome: 'skipped', fault: 'missing_evidence' })
    expect(() => exact.evaluate({})).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })

  it('does nothing for whoever gave up before', async () => {
    const signal = () => AbortSignal.abort()
    const score = await prepared('regex-validator', { regex: '(a+)+b' }).evaluate({ text: 'a'.repeat(40) }, { signal })
    expect(score).toMatchObject({ outcome: 'errored', fault: 'cancelled' })
  })

  it('is none when it is unknown, and has faults when it is wrongly configured', () => {
    expect(engine.prepare('nope')).toBeUndefined()
    expect(engine.prepare('regex-validator', {})).toMatchObject({ faults: [{ path: 'config.regex' }] })
    const definition = { kind: 'preset' as const, base: 'nope', config: {} }
    expect(engine.prepare({ slug: 'mine', definition })).toMatchObject({ faults: [{ path: 'base' }] })
  })
})
