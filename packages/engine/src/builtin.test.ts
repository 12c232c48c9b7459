import { afterAll, describe, expect, it } from 'vitest'
import { builtinEvaluators } from './builtin.ts'
import { createEngine } from './create-engine.ts'
import { evaluatorContract } from './evaluator.contract.ts'
import type { Models } from './models/models.ts'

/** Gives each text the numbers of its letters as its vector. */
const models: Models = {
  knows: () => true,
  nameOf: () => 'test/letters',
  ask: () => Promise.reject(new Error('nothing is asked here')),
  complete: () => Promise.reject(new Error('nothing is asked here')),
  embed: (texts) =>
    Promise.resolve({
      vectors: texts.map((text) =>
        Array.from({ length: 26 }, (_, i) => text.split(String.fromCharCode(97 + i)).length - 1),
      ),
      usage: { model: 'letters', input_tokens: 1, output_tokens: null, cost: null, cached: false },
    }),
}

// Threads load parsers and tables of languages, which a slow machine takes its time for.
const engine = createEngine({ models, seconds: { code: 60, judge: 60 } })
afterAll(() => engine.close())

for (const slug of [...builtinEvaluators.map((evaluator) => evaluator.slug), 'semantic-similarity'])
  evaluatorContract({ slug, engine: () => engine })

/** Slug, required input, configuration and result fields, as `traceloop.md` lists them (section 6). */
const traceloop: [slug: string, input: string[], config: string[], output: string[]][] = [
  [
    'agent-tool-trajectory',
    ['executed_tool_calls', 'expected_tool_calls'],
    ['threshold', 'mismatch_sensitive', 'order_sensitive', 'input_params_sensitive'],
    ['score', 'reason', 'success'],
  ],
  ['char-count', ['text'], [], ['char_count']],
  ['word-count', ['text'], [], ['word_count']],
  ['char-count-ratio', ['numerator_text', 'denominator_text'], [], ['char_ratio']],
  ['word-count-ratio', ['numerator_text', 'denominator_text'], [], ['word_ratio']],
  ['html-comparison', ['html1', 'html2'], [], ['similarity_score']],
  ['json-validator', ['text'], ['enable_schema_validation', 'schema_string'], ['is_valid_json']],
  ['perplexity', ['logprobs'], [], ['perplexity_score']],
  ['pii-detector', ['text'], ['probability_threshold'], ['has_pii', 'reason']],
  [
    'placeholder-regex',
    ['placeholder_value', 'text'],
    ['should_match', 'case_sensitive', 'dot_include_nl', 'multi_line'],
    ['is_valid_regex'],
  ],
  ['profanity-detector', ['text'], [], ['is_safe']],
  [
    'regex-validator',
    ['text'],
    ['regex', 'should_match', 'case_sensitive', 'dot_include_nl', 'multi_line'],
    ['is_valid_regex'],
  ],
  ['secrets-detector', ['text'], [], ['has_secret']],
  ['semantic-similarity', ['completion', 'reference'], [], ['similarity_score']],
  ['sql-validator', ['text'], [], ['is_valid_sql']],
]

describe('the built-in evaluators', () => {
  it.each(traceloop)('have %s with the fields of its foreign clients', (...[slug, input, config, output]) => {
    const info = engine.info(slug)
    expect(info?.slug).toBe(slug)
    expect(info?.input_schema.filter(({ required }) => required).map(({ name }) => name)).toEqual(input)
    expect(Object.keys(Object(info?.config_schema['properties']))).toEqual(expect.arrayContaining(config))
    expect(info?.output_schema.map(({ name }) => name)).toEqual(expect.arrayContaining(output))
  })

  it.each([
    ['accuracy', 'exact-match'],
    ['response_time', 'latency'],
    ['length', 'char-count'],
    ['json_valid', 'json-validator'],
    ['regex', 'regex-validator'],
    ['pii', 'pii-detector'],
    ['secrets', 'secrets-detector'],
    ['profanity', 'profanity-detector'],
    ['sql_valid', 'sql-validator'],
    ['rougeL', 'rouge-l'],
    ['numeric_diff', 'numeric-closeness'],
  ])('answer to %s as %s', (alias, slug) => {
    expect(engine.info(alias)?.slug).toBe(slug)
  })

  it('score in a thread what is long', () => {
    const long = 'word '.repeat(10_000)
    const kept = builtinEvaluators.filter(({ runs, input, range, example }) => {
      const given = Object.fromEntries(input.map(({ name, type }) => [name, type === 'array' ? [long] : long]))
      return (typeof runs === 'function' ? runs(given, example.config ?? {}) : runs) === 'inline' && range.max !== null
    })
    expect(kept).toEqual([])
  })

  it('do not score semantic similarity where no provider is configured', async () => {
    const own = createEngine()
    const score = await own.evaluate({ evaluator: 'semantic-similarity', input: { text: 'a', reference: 'b' } })
    expect(score).toMatchObject({ outcome: 'errored', fault: 'no_provider', value: null })
  })
})
