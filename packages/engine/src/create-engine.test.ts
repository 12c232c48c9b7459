import { limits } from '@llm-eval/protocol'
import * as z from 'zod'
import { afterAll, describe, expect, it } from 'vitest'
import { createEngine } from './create-engine.ts'
import { definitionSchema } from './definition.ts'
import { type Evaluator, evaluator, NoScore } from './evaluator.ts'

const engine = createEngine()
afterAll(() => engine.close())

/** An evaluator that says what a test wants it to say. */
function saying(score: Evaluator['score'], more: Partial<Evaluator> = {}): Evaluator {
  return evaluator<unknown>({
    slug: 'said',
    name: 'Said',
    description: 'Says what it is told.',
    kind: 'custom',
    category: 'custom',
    needs: [],
    input: [{ name: 'response', type: 'string', description: '', required: false }],
    output: [],
    config: z.strictObject({}),
    range: { min: 0, max: 1 },
    direction: 'higher',
    example: { input: {}, value: null, passed: null },
    runs: 'inline',
    score,
    ...more,
  })
}

async function score(said: Evaluator['score'], more: Partial<Evaluator> = {}) {
  const own = createEngine({ evaluators: [saying(said, more)] })
  try {
    return await own.evaluate({ evaluator: 'said', input: {} })
  } finally {
    await own.close()
  }
}

describe('an evaluation', () => {
  it('is a score with what the evaluator says', async () => {
    expect(await engine.evaluate({ evaluator: 'exact-match', input: { response: 'a', reference: 'a' } })).toEqual({
      outcome: 'scored',
      value: 1,
      label: null,
      passed: true,
      explanation: null,
      fault: null,
      output: { match: true },
      usage: null,
      duration_ms: expect.any(Number),
    })
  })

  it.each(['exact-match', 'exact_match', 'Exact-Match', 'accuracy', 'accuracy-evaluator', 'accuracy_evaluator'])(
    'finds the evaluator %s',
    (slug) => {
      expect(engine.info(slug)?.slug).toBe('exact-match')
    },
  )

  it('of an unknown evaluator is refused', async () => {
    await expect(engine.evaluate({ evaluator: 'nope', input: {} })).rejects.toMatchObject({
      code: 'evaluator_not_found',
      message: 'There is no evaluator nope.',
    })
    expect(engine.info('nope')).toBeUndefined()
    expect(engine.check({ evaluator: 'nope', input: {} })).toEqual([{ path: 'evaluator', message: 'is not known' }])
  })

  it('is measured with the clock that it was given', async () => {
    const times = [1_000, 1_012.3456]
    const own = createEngine({ now: () => times.shift() ?? 0 })
    const { duration_ms } = await own.evaluate({ evaluator: 'exact-match', input: { text: 'a', reference: 'a' } })
    expect(duration_ms).toBe(12.346)
  })
})

describe('a missing field', () => {
  const evaluation = { evaluator: 'exact-match', input: { response: 'a', reference: null } }

  it('of a request is a fault that names it', async () => {
    const errors = [{ path: 'input.reference', message: 'is required' }]
    expect(engine.check(evaluation)).toEqual(errors)
    await expect(engine.evaluate(evaluation)).rejects.toMatchObject({ code: 'invalid_request', errors })
  })

  it('of a trace makes the score skipped, never 0', async () => {
    expect(await engine.evaluate(evaluation, { evidence: 'trace' })).toMatchObject({
      outcome: 'skipped',
      value: null,
      passed: null,
      fault: 'missing_evidence',
      explanation: 'Evidence is missing: reference is required.',
    })
  })
})

describe('a configuration', () => {
  const input = { response: 'PARIS', reference: 'Paris' }

  it('is laid over the defaults, and null members are absent', async () => {
    const config = { ignore_case: true, ignore_whitespace: null }
    expect(await engine.evaluate({ evaluator: 'exact-match', input, config })).toMatchObject({ value: 1 })
    expect(await engine.evaluate({ evaluator: 'exact-match', input, config: { ignoreCase: true } })).toMatchObject({
      value: 1,
    })
    expect(await engine.evaluate({ evaluator: 'exact-match', input, config: null })).toMatchObject({ value: 0 })
  })

  it('is refused with the place of the fault', async () => {
    const config = { ignore_case: 'yes', shout: true }
    expect(engine.check({ evaluator: 'exact-match', input, config })).toEqual([
      { path: 'config.ignore_case', message: 'must be of type boolean, not string' },
      { path: 'config.shout', message: 'is not known' },
    ])
    await expect(engine.evaluate({ evaluator: 'exact-match', input, config })).rejects.toMatchObject({
      code: 'invalid_request',
    })
  })

  it('makes a version of its own', () => {
    const version = (config: Record<string, unknown> | null) => engine.info('exact-match', config)?.version
    expect(version(null)).toMatch(/^[0-9a-f]{16}$/)
    expect(version({ ignore_case: false })).toBe(version(null))
    expect(version({ ignore_case: true })).not.toBe(version(null))
    expect(engine.info('contains')?.version).not.toBe(version(null))
  })
})

describe('a preset', () => {
  const definition = { kind: 'preset', base: 'exact_match', config: { ignore_case: true } } as const
  const input = { response: 'PARIS', reference: 'Paris' }

  it('is its base under a configuration and a name of its own', async () => {
    const named = { slug: 'my-match', definition }
    expect(await engine.evaluate({ evaluator: named, input })).toMatchObject({ value: 1 })
    expect(await engine.evaluate({ evaluator: named, input, config: { ignore_case: false } })).toMatchObject({
      value: 0,
    })
    expect(engine.info(named)).toMatchObject({ slug: 'my-match', source: 'custom', aliases: [], kind: 'code' })
    expect(engine.info(named)?.version).toBe(engine.info('exact-match', { ignore_case: true })?.version)
  })

  it('is inspected without running it', () => {
    expect(engine.inspect('mine', definition)).toMatchObject({ info: { slug: 'mine' } })
    expect(engine.inspect('mine', { ...definition, base: 'nope' })).toEqual({
      faults: [{ path: 'base', message: 'there is no evaluator nope' }],
    })
    expect(engine.inspect('mine', { ...definition, config: { shout: 1 } })).toEqual({
      faults: [{ path: 'config.shout', message: 'is not known' }],
    })
  })

  it('is all that can be defined where nobody makes judges', () => {
    const input = [{ name: 'response' }]
    const remote = definitionSchema.parse({ kind: 'remote', url: 'https://example.com/score', input })
    expect(engine.inspect('mine', remote)).toEqual({
      faults: [{ path: 'kind', message: 'only presets can be defined here' }],
    })
  })
})

describe('an evaluator that misbehaves gives an errored score:', () => {
  it.each([
    ['NaN', { value: Number.NaN }],
    ['infinity', { value: Number.POSITIVE_INFINITY }],
    ['7 for a score of 0 to 1', { value: 7 }],
    ['a value below its range', { value: -0.01 }],
    ['text for a value', { value: '1' }],
    ['a number for a verdict', 0.5],
    ['nothing', undefined],
    ['an array for its output', { value: 1, output: [] }],
    ['an output that is a ring', { value: 1, output: ring() }],
    ['a number too big for JSON', { value: 1, output: { count: 1n } }],
  ])('%s', async (_name, verdict) => {
    expect(await score(() => verdict as never)).toMatchObject({
      outcome: 'errored',
      value: null,
      passed: null,
      fault: 'refused_value',
      explanation: expect.stringContaining('refused'),
    })
  })

  it('an output past the cap', async () => {
    // {"text":"…"} is eleven bytes around the text.
    const text = 'x'.repeat(limits.scoreOutputBytes - 11)
    expect(await score(() => ({ value: 1, output: { text } }))).toMatchObject({ outcome: 'scored', output: { text } })
    const more = await score(() => ({ value: 1, output: { text: `${text}x` } }))
    expect(more).toMatchObject({ outcome: 'errored', fault: 'too_large', output: {} })
  })

  it('throwing anything', async () => {
    const thrown = (what: unknown) =>
      score(() => {
        throw what
      })
    expect(await thrown(new Error('boom'))).toMatchObject({
      outcome: 'errored',
      fault: 'threw',
      explanation: 'The evaluator threw: boom',
    })
    expect(await thrown('boom')).toMatchObject({ fault: 'threw', explanation: 'The evaluator threw: boom' })
    expect(await thrown(null)).toMatchObject({ fault: 'threw' })
    expect(await score(() => Promise.reject(new NoScore('provider_error', 'no answer')))).toMatchObject({
      outcome: 'errored',
      fault: 'provider_error',
      explanation: 'no answer',
    })
  })

  it('never answering', async () => {
    let heard = false
    const hanging = saying((_input, { signal }) => {
      signal.addEventListener('abort', () => (heard = true))
      return new Promise(() => undefined)
    })
    const own = createEngine({ evaluators: [hanging], seconds: { code: 0.05, judge: 0.05 } })
    expect(await own.evaluate({ evaluator: 'said', input: {} })).toMatchObject({ outcome: 'errored', fault: 'timeout' })
    expect(heard).toBe(true)
  })
})

describe('what an evaluator says beside its value', () => {
  it('is cut where it is too long, never within a character', async () => {
    const short = 'x'.repeat(limits.explanationChars)
    expect((await score(() => ({ explanation: short }))).explanation).toBe(short)
    const long = await score(() => ({ explanation: `${'x'.repeat(limits.explanationChars - 2)}😀😀` }))
    expect(long.explanation).toBe(`${'x'.repeat(limits.explanationChars - 2)}…`)
  })

  it('tells its missing evidence as skipped', async () => {
    const skipping = () => Promise.reject(new NoScore('missing_evidence', 'nothing there'))
    expect(await score(skipping)).toMatchObject({ outcome: 'skipped', fault: 'missing_evidence' })
  })

  it('tells how far it is', async () => {
    const steps: number[][] = []
    const own = createEngine({
      evaluators: [
        saying((_input, { progress }) => {
          progress(1, 2)
          progress(2, 2)
          return { value: 1 }
        }),
      ],
    })
    await own.evaluate({ evaluator: 'said', input: {} }, { onProgress: (done, total) => steps.push([done, total]) })
    expect(steps).toEqual([
      [1, 2],
      [2, 2],
    ])
  })
})

describe('giving up', () => {
  it('ends the evaluation as cancelled, before and while it runs', async () => {
    const abort = new AbortController()
    const own = createEngine({
      evaluators: [
        saying(() => {
          abort.abort()
          return new Promise(() => undefined)
        }),
      ],
    })
    const run = () => own.evaluate({ evaluator: 'said', input: {} }, { signal: abort.signal })
    expect(await run()).toMatchObject({ outcome: 'errored', fault: 'cancelled' })
    expect(await run()).toMatchObject({ outcome: 'errored', fault: 'cancelled' })
  })
})

describe('a regular expression that never ends', () => {
  const endless = {
    evaluator: 'regex',
    input: { text: `${'a'.repeat(60)}!` },
    config: { regex: '^(a+)+$' },
  }

  it('is ended in its thread, while others are served', async () => {
    const own = createEngine({ seconds: { code: 2, judge: 2 }, threads: 1 })
    const quick = { evaluator: 'regex', input: { text: 'abc' }, config: { regex: 'b' } }
    const [slow, after] = await Promise.all([own.evaluate(endless), own.evaluate(quick)])
    expect(slow).toMatchObject({ outcome: 'errored', fault: 'timeout' })
    expect(after).toMatchObject({ outcome: 'scored', value: 1, output: { is_valid_regex: true, matches: ['b'] } })
    await own.close()
  })

  it('ends when it is given up, also while it waits for a thread', async () => {
    const own = createEngine({ threads: 1 })
    const [running, waiting] = [new AbortController(), new AbortController()]
    const scores = [running, waiting].map(({ signal }) => own.evaluate(endless, { signal }))
    waiting.abort()
    expect(await scores[1]).toMatchObject({ fault: 'cancelled' })
    running.abort()
    expect(await scores[0]).toMatchObject({ fault: 'cancelled' })
    await own.close()
  })

  it('lets as many wait as may, and no more', async () => {
    const own = createEngine({ threads: 1 })
    // One runs, the others wait.
    const scores = Array.from({ length: limits.executionsWaiting + 1 }, () => own.evaluate(endless))
    await expect(own.evaluate(endless)).rejects.toMatchObject({ code: 'overloaded', retryAfter: 2 })
    await own.close()
    expect(new Set((await Promise.all(scores)).map(({ fault }) => fault))).toEqual(new Set(['cancelled']))
  })

  it('ends with the engine, which then takes nothing more', async () => {
    const own = createEngine()
    const running = own.evaluate(endless)
    await own.close()
    expect(await running).toMatchObject({ outcome: 'errored', fault: 'cancelled' })
    await expect(own.evaluate(endless)).rejects.toMatchObject({ code: 'shutting_down' })
  })
})

describe('the catalogue', () => {
  it('shows every evaluator with the schema of its configuration', () => {
    const catalogue = engine.catalogue()
    expect(catalogue.map(({ slug }) => slug)).toEqual(catalogue.map(({ slug }) => slug).sort())
    expect(catalogue.find(({ slug }) => slug === 'exact-match')).toMatchObject({
      kind: 'code',
      source: 'builtin',
      pinned: true,
      provider: 'none',
      config_schema: { type: 'object', properties: { ignore_case: { type: 'boolean', default: false } } },
    })
  })

  it('tells the evaluators of a project apart from those that are built in', () => {
    const own = createEngine({ fromDefinition: (slug) => ({ evaluator: saying(() => ({}), { slug, kind: 'judge' }) }) })
    const messages = [{ role: 'user', content: '{{response}}' }]
    const definition = definitionSchema.parse({ kind: 'judge', messages, input: [{ name: 'response' }] })
    expect(own.info({ slug: 'mine', definition })).toMatchObject({ slug: 'mine', kind: 'judge', source: 'custom' })
    expect(own.inspect('mine', definition)).toMatchObject({ info: { source: 'custom' } })
  })

  it('tells custom evaluators apart', () => {
    const own = createEngine({ evaluators: [saying(() => ({}), { pinned: false })] })
    expect(own.info('said')).toMatchObject({ source: 'custom', pinned: false })
  })

  it('refuses two evaluators of one name', () => {
    expect(() => createEngine({ evaluators: [saying(() => ({}), { aliases: ['accuracy'] })] })).toThrow(
      'the evaluators exact-match and said both answer to accuracy',
    )
  })

  it('is not changed by who reads it', () => {
    expect(() => engine.info('exact-match')?.aliases.push('mine')).toThrow(TypeError)
    expect(engine.info('exact-match')?.aliases).not.toContain('mine')
  })
})

function ring(): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  object['self'] = object
  return object
}
