import type { EvaluatorInfo, Score } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Engine } from './engine.ts'

export interface EvaluatorUnderTest {
  slug: string
  /** An engine that knows it. */
  engine: () => Engine
  /** Hostile inputs that are tried. */
  runs?: number
}

/** What every evaluator of the catalogue promises. */
export function evaluatorContract({ slug, engine, runs = 25 }: EvaluatorUnderTest): void {
  describe(`${slug} keeps the promises of an evaluator:`, () => {
    const info = (): EvaluatorInfo => {
      const found = engine().info(slug)
      if (!found) throw new Error(`the engine knows no ${slug}`)
      return found
    }
    const example = () => {
      const { example: shown } = info()
      if (!shown) throw new Error(`${slug} has no example`)
      return { ...shown, evaluation: { evaluator: slug, input: shown.input, config: shown.config } }
    }

    it('its example scores as it says', async () => {
      const { evaluation, value, passed } = example()
      expect(engine().check(evaluation)).toEqual([])
      const score = await engine().evaluate(evaluation)
      expect(score).toMatchObject({ outcome: 'scored', fault: null, passed })
      if (value === null) expect(score.value).toBeNull()
      else expect(score.value).toBeCloseTo(value, 9)
    })

    it('the same input scores the same again', async () => {
      const { evaluation } = example()
      const first = await engine().evaluate(evaluation)
      await engine().evaluate({ ...evaluation, input: {} }, { evidence: 'trace' })
      expect(timeless(await engine().evaluate(evaluation))).toEqual(timeless(first))
    })

    it('it gives the fields that it declares', async () => {
      const declared = info().output_schema
      const { output } = await engine().evaluate(example().evaluation)
      const required = declared.filter((field) => field.required).map(({ name }) => name)
      expect(Object.keys(output)).toEqual(expect.arrayContaining(required))
      expect(declared.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(output)))
    })

    it('it wants the fields that it declares, and no others', async () => {
      const { input_schema: fields } = info()
      for (const { name } of fields.filter(({ required }) => required)) {
        const without = Object.fromEntries(Object.entries(example().input).filter(([given]) => given !== name))
        expect(engine().check({ ...example().evaluation, input: without })).toContainEqual({
          path: `input.${name}`,
          message: 'is required',
        })
        const skipped = await engine().evaluate({ ...example().evaluation, input: without }, { evidence: 'trace' })
        expect(skipped).toMatchObject({ outcome: 'skipped', fault: 'missing_evidence', value: null, passed: null })
      }
      const more = { ...example().input, nobody_asked_for_this: [null] }
      expect(engine().check({ ...example().evaluation, input: more })).toEqual([])
    })

    it('it is described', () => {
      const { name, description, input_schema: fields, output_schema: outputs, config_schema: config } = info()
      expect([name, description].every((text) => text.length > 2)).toBe(true)
      expect([...fields, ...outputs].every((field) => field.description.length > 2)).toBe(true)
      expect(config['type']).toBe('object')
    })

    it('whatever it is given, it answers with a score', async () => {
      const { input_schema: fields, range } = info()
      const { config } = example()
      const input = fc.record(Object.fromEntries(fields.map(({ name }) => [name, hostile])), { requiredKeys: [] })
      await fc.assert(
        fc.asyncProperty(input, async (given) => {
          const score = await engine().evaluate({ evaluator: slug, input: given, config }, { evidence: 'trace' })
          expect(isScore(score, range)).toBe(true)
        }),
        { numRuns: runs },
      )
    })
  })
}

/** Texts of all scripts, texts that are long, values of the wrong type, and values that look like something else. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.jsonValue(),
  fc.json(),
  fc.array(fc.jsonValue(), { maxLength: 5 }),
  fc.array(fc.record({ name: fc.string(), arguments: fc.jsonValue() }), { maxLength: 5 }),
  fc.double(),
  fc.constantFrom(
    'a'.repeat(100_000),
    '<div>'.repeat(5_000),
    '['.repeat(20_000),
    '((((((((',
    '\ud800',
    '\u0000',
    '__proto__',
    '{"__proto__": {"a": 1}}',
    JSON.parse('{"__proto__": {"toString": 1}, "constructor": {}}'),
  ),
)

function timeless(score: Score): Score {
  return { ...score, duration_ms: 0 }
}

function isScore(score: Score, { min, max }: EvaluatorInfo['range']): boolean {
  if (score.outcome !== 'scored') return score.value === null && score.fault !== null && score.fault !== 'timeout'
  const { value } = score
  return value === null || (Number.isFinite(value) && value >= (min ?? value) && value <= (max ?? value))
}
