import { afterEach, describe, expect, test } from 'vitest'
import { TestClock } from '../../test/clock.ts'
import {
  type Asked,
  type Provider,
  embeds,
  fails,
  hangsUp,
  never,
  prose,
  refuses,
  says,
  sends,
  startProvider,
  truncated,
} from '../../test/provider.ts'
import { NoScore } from '../evaluator.ts'
import { createModels, type ModelsOptions } from './create.ts'
import type { Models, Question } from './models.ts'
import { providersSchema } from './providers.ts'

const key = 'sk-very-secret-0123456789abcdef'
const open: Provider[] = []
afterEach(async () => {
  for (const provider of open.splice(0)) await provider.close()
})

async function provider(answer: (asked: Asked) => ReturnType<typeof says> = () => says({ verdict: 'good' })) {
  const started = await startProvider({ answer })
  open.push(started)
  return started
}

function providersAt(started: Provider) {
  const at = (api: Asked['api']) => ({ api, base_url: started.base(api), api_key: key })
  return providersSchema.parse({ gpt: at('openai'), claude: at('anthropic'), gemini: at('gemini') })
}

function models(started: Provider, options: Partial<ModelsOptions> = {}) {
  const clock = new TestClock()
  const made = createModels({ providers: providersAt(started), clock, random: () => 0, ...options })
  return {
    clock,
    ask: (asked: Question) => made.ask(asked),
    embed: (...given: Parameters<Models['embed']>) => made.embed(...given),
  }
}

function question(more: Partial<Question> = {}): Question {
  return {
    model: 'gpt/judge-1',
    messages: [
      { role: 'system', content: 'You are a judge.' },
      { role: 'user', content: 'Is this good?' },
    ],
    answer: {
      type: 'object',
      properties: { verdict: { type: 'string', enum: ['good', 'bad'] } },
      required: ['verdict'],
      additionalProperties: false,
    },
    shape: 'verdict',
    signal: new AbortController().signal,
    ...more,
  }
}

async function fault(promise: Promise<unknown>): Promise<NoScore> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof NoScore) return error
  throw new Error('no NoScore was thrown', { cause: error })
}

describe.each([
  ['gpt/judge-1', 'authorization', `Bearer ${key}`],
  ['claude/judge-1', 'x-api-key', key],
  ['gemini/judge-1', 'x-goog-api-key', key],
])('a model of the API behind %s', (model, header, secret) => {
  test('answers in the shape, with its tokens, its price and the name it gives itself', async () => {
    const started = await provider(() =>
      says({ verdict: 'good' }, { model: 'judge-1-2026', usage: { input: 100, output: 20, cached: 40 } }),
    )
    const { ask } = models(started, { prices: { 'judge-1*': { input: 10, output: 20, cached_input: 1 } } })
    const answer = await ask(question({ model, temperature: 0.5, maxTokens: 77 }))
    expect(answer.value).toEqual({ verdict: 'good' })
    expect(answer.usage).toEqual({
      model: 'judge-1-2026',
      input_tokens: 100,
      output_tokens: 20,
      cost: 0.00104,
      cached: false,
    })
    const [asked] = started.asked
    expect(asked?.model).toBe('judge-1')
    expect(asked?.headers[header]).toBe(secret)
    expect(asked?.prompt).toContain('You are a judge.')
    expect(asked?.prompt).toContain('Is this good?')
    expect(asked?.schema).toMatchObject({ properties: { verdict: { enum: ['good', 'bad'] } } })
    expect(JSON.stringify(asked?.body)).toMatch(/"(?:max_tokens|maxOutputTokens)":77/)
    expect(JSON.stringify(asked?.body)).toContain('"temperature":0.5')
  })

  test('that nobody has a price for costs an unknown amount', async () => {
    const { ask } = models(await provider())
    expect((await ask(question({ model }))).usage).toMatchObject({ input_tokens: 100, output_tokens: 20, cost: null })
  })

  test('that refuses to answer has refused, and was paid for it', async () => {
    const started = await provider(() => refuses('Not with me.'))
    const refused = await fault(models(started).ask(question({ model })))
    expect(refused.fault).toBe('provider_refused')
    expect(refused.usage).toMatchObject({ input_tokens: 100, output_tokens: 20 })
    expect(started.asked).toHaveLength(1)
  })

  test('that answers in prose around its JSON has answered', async () => {
    const started = await provider(() => prose('Let me see.\n\n```json\n{"verdict": "bad"}\n```\nThat is all.'))
    expect((await models(started).ask(question({ model }))).value).toEqual({ verdict: 'bad' })
    expect(started.asked).toHaveLength(1)
  })

  test.each([
    ['prose', prose('It is good.')],
    ['truncated JSON', truncated({ verdict: 'good' })],
    ['the wrong shape', says({ verdict: 'splendid' })],
    ['nothing', prose('')],
    ['several objects', prose('Not {"verdict":"bad"} but {"verdict":"good"}')],
  ])('that answers with %s is asked once more, and both are counted', async (_what, reply) => {
    const started = await provider()
    started.next(reply)
    const { value, usage } = await models(started).ask(question({ model }))
    expect(value).toEqual({ verdict: 'good' })
    expect(usage).toMatchObject({ input_tokens: 200, output_tokens: 40 })
    expect(started.asked).toHaveLength(2)
    expect(started.asked[1]?.prompt).toContain('Your answer cannot be used')
  })

  test('that answers in prose twice gives no answer, and was paid twice', async () => {
    const started = await provider(() => prose('It is good.'))
    const failed = await fault(models(started).ask(question({ model })))
    expect(failed.fault).toBe('unparsable_answer')
    expect(failed.usage).toMatchObject({ input_tokens: 200, output_tokens: 40 })
    expect(started.asked).toHaveLength(2)
  })

  test.each([429, 500, 502, 503, 504, 529])('that fails with %i is asked again', async (status) => {
    const started = await provider()
    started.next(fails(status), fails(status))
    const { ask, clock } = models(started)
    expect((await ask(question({ model }))).value).toEqual({ verdict: 'good' })
    expect(clock.waits).toEqual([500, 1_000])
  })

  test('whose connection breaks is asked again', async () => {
    const started = await provider()
    started.next(hangsUp)
    expect((await models(started).ask(question({ model }))).value).toEqual({ verdict: 'good' })
  })

  test('that sends no JSON is asked again', async () => {
    const started = await provider()
    started.next(sends('<html>busy</html>'))
    expect((await models(started).ask(question({ model }))).value).toEqual({ verdict: 'good' })
  })

  test('is paid nobody knows what where an answer could not be read', async () => {
    const started = await provider()
    started.next(sends('<html>busy</html>'))
    const prices = { 'judge-1': { input: 1, output: 1 } }
    const { usage } = await models(started, { prices }).ask(question({ model }))
    expect(usage).toEqual({ model: 'judge-1', input_tokens: null, output_tokens: null, cost: null, cached: false })
    started.next(fails(500), fails(429), hangsUp)
    const refused = await models(started, { prices }).ask(question({ model, sample: 2 }))
    expect(refused.usage).toMatchObject({ input_tokens: 100, output_tokens: 20, cost: 0.00012 })
  })

  test('that goes on failing is given up, with its words and without our key', async () => {
    const started = await provider(() => fails(500, `overloaded, dear ${key}`))
    const failed = await fault(models(started).ask(question({ model })))
    expect(failed.fault).toBe('provider_error')
    expect(failed.message).toContain('overloaded')
    expect(failed.message).toContain('asked 4 times')
    expect(failed.message).not.toContain(key)
    expect(started.asked).toHaveLength(4)
  })

  test.each([400, 401, 403, 404])('that fails with %i is not asked again', async (status) => {
    const started = await provider(() => fails(status, `wrong key ${key.slice(0, 16)}****`))
    const failed = await fault(models(started).ask(question({ model })))
    expect(failed.fault).toBe('provider_error')
    expect(failed.message).not.toContain(key.slice(0, 16))
    expect(started.asked).toHaveLength(1)
  })

  test('that never answers is given up', async () => {
    const started = await provider(() => never)
    const { ask, clock } = models(started, { seconds: { question: 120, call: 60 } })
    const failing = fault(ask(question({ model })))
    await started.came(1)
    clock.advance(60_000)
    await started.came(2)
    clock.advance(60_000)
    const failed = await failing
    expect(failed.fault).toBe('timeout')
    expect(failed.usage).toMatchObject({ input_tokens: null, cost: null, cached: false })
    expect(clock.pending).toBe(0)
  })

  test('whose server knows no shapes is told of it in words, from then on at once', async () => {
    const started = await provider((asked) =>
      asked.schema === null ? says({ verdict: 'good' }) : fails(400, 'response_format/json_schema is not supported'),
    )
    const { ask } = models(started)
    expect((await ask(question({ model }))).value).toEqual({ verdict: 'good' })
    expect((await ask(question({ model, sample: 2 }))).value).toEqual({ verdict: 'good' })
    expect(started.asked).toHaveLength(3)
    expect(started.asked[2]?.prompt).toContain('JSON Schema')
  })
})

test('waits as long as the provider asks', async () => {
  const started = await provider()
  started.next(fails(429, 'slow down', { 'retry-after': '7' }))
  const { ask, clock } = models(started)
  await ask(question())
  expect(clock.waits).toEqual([7_000])
})

test('understands a date in Retry-After', async () => {
  const started = await provider()
  const { ask, clock } = models(started)
  started.next(fails(503, 'later', { 'retry-after': new Date(clock.now() + 9_000).toUTCString() }))
  await ask(question())
  expect(clock.waits).toEqual([9_000])
})

test('does not wait for longer than a question may take', async () => {
  const started = await provider(() => fails(429, 'slow down', { 'retry-after': '3600' }))
  const failed = await fault(models(started).ask(question()))
  expect(failed.message).toContain('It asks to wait for 3600 s.')
  expect(started.asked).toHaveLength(1)
})

test('an answer without a count of tokens has unknown tokens and an unknown price', async () => {
  const started = await provider(() => says({ verdict: 'good' }, { usage: null }))
  const { ask } = models(started, { prices: { 'judge-1': { input: 1, output: 1 } } })
  expect((await ask(question())).usage).toMatchObject({ input_tokens: null, output_tokens: null, cost: null })
})

test('a prompt that Gemini blocks was refused', async () => {
  const started = await provider(() =>
    sends('{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":9}}'),
  )
  expect((await fault(models(started).ask(question({ model: 'gemini/judge-1' })))).fault).toBe('provider_refused')
})

test('a policy that fails the request was a refusal', async () => {
  const started = await provider(() => fails(400, 'The response was filtered: content_filter'))
  expect((await fault(models(started).ask(question()))).fault).toBe('provider_refused')
})

test('an answer of more bytes than any judge needs is given up', async () => {
  const started = await provider(() => sends(`{"filler":"${'x'.repeat(17 * 1024 * 1024)}"}`))
  const failed = await fault(models(started).ask(question()))
  expect(failed.message).toContain('larger than it may be')
  expect(started.asked).toHaveLength(1)
})

test('a redirect is not followed, for the key would go along', async () => {
  const other = await provider()
  const started = await provider(() => ({
    does: 'send',
    status: 307,
    headers: { location: `${other.base('openai')}/chat/completions` },
    body: '',
  }))
  expect((await fault(models(started).ask(question()))).fault).toBe('provider_error')
  expect(other.asked).toEqual([])
})

test('who gives up is told so at once, and the call is ended', async () => {
  const started = await provider(() => never)
  const giving = new AbortController()
  const failing = fault(models(started).ask(question({ signal: giving.signal })))
  await started.came(1)
  giving.abort()
  expect((await failing).fault).toBe('cancelled')
})

describe('answers that are there already', () => {
  test('cost nothing, and say so', async () => {
    const started = await provider()
    const { ask } = models(started, { prices: { 'judge-1': { input: 1, output: 1 } } })
    const first = await ask(question())
    const second = await ask(question())
    expect(first.usage).toMatchObject({ cached: false, input_tokens: 100, cost: 0.00012 })
    expect(second).toEqual({
      value: first.value,
      usage: { model: 'judge-1', input_tokens: 0, output_tokens: 0, cost: 0, cached: true },
    })
    expect(started.asked).toHaveLength(1)
  })

  test('are asked for once by those who ask at the same time', async () => {
    const gate = Promise.withResolvers<void>()
    const started = await startProvider({
      answer: async () => {
        await gate.promise
        return says({ verdict: 'bad' })
      },
    })
    open.push(started)
    const { ask } = models(started)
    const asking = Promise.all([ask(question()), ask(question()), ask(question())])
    await started.came(1)
    gate.resolve()
    const answers = await asking
    expect(answers.map(({ usage }) => usage.cached)).toEqual([false, true, true])
    expect(started.asked).toHaveLength(1)
  })

  test.each([
    ['sample', { sample: 2 }],
    ['model', { model: 'gpt/judge-2' }],
    ['provider', { model: 'claude/judge-1' }],
    ['message', { messages: [{ role: 'user' as const, content: 'Is this bad?' }] }],
    ['temperature', { temperature: 1 }],
    ['limit of tokens', { maxTokens: 9 }],
    ['shape', { answer: { type: 'object', properties: { verdict: { type: 'string' } } } }],
  ])('are not those of another %s', async (_what, other) => {
    const started = await provider()
    const { ask } = models(started)
    await ask(question())
    await ask(question(other))
    expect(started.asked).toHaveLength(2)
  })
})

describe('embeddings', () => {
  test.each(['gpt/embed-1', 'gemini/embed-1'])('of %s are vectors in the order of the texts', async (model) => {
    const started = await provider()
    const { embed } = models(started, { prices: { 'embed-1': { input: 1, output: 0 } } })
    const texts = Array.from({ length: 130 }, (_, i) => `text ${i}`)
    const { vectors, usage } = await embed(texts, { model, signal: new AbortController().signal })
    expect(vectors).toHaveLength(130)
    expect(vectors[0]).not.toEqual(vectors[129])
    expect(started.asked.flatMap((asked) => asked.texts)).toEqual(texts)
    expect(usage.cached).toBe(false)
  })

  test('of which one is missing are refused', async () => {
    const started = await provider()
    started.next(embeds([[1, 2]]))
    const { embed } = models(started)
    const signal = new AbortController().signal
    expect((await fault(embed(['a', 'b'], { model: 'gpt/e', signal }))).fault).toBe('unparsable_answer')
    started.next(embeds([[1, 2], [1]]))
    expect((await fault(embed(['a', 'c'], { model: 'gpt/e', signal }))).fault).toBe('unparsable_answer')
  })
})

describe('which model is meant', () => {
  const providers = providersSchema.parse({
    local: { api: 'openai', base_url: 'http://localhost:11434/v1', models: ['llama', 'org/qwen'] },
    claude: { api: 'anthropic', api_key: key },
  })
  const configured = createModels({ providers })
  const knows = (model: string, use: 'chat' | 'embedding') => configured.knows(model, use)

  test('a provider with a list has the models of its list', () => {
    expect(knows('local/llama', 'chat')).toBe(true)
    expect(knows('local/org/qwen', 'chat')).toBe(true)
    expect(knows('local/other', 'chat')).toBe(false)
    expect(knows('claude/anything', 'chat')).toBe(true)
    expect(knows('nobody/llama', 'chat')).toBe(false)
    expect(knows('claude/', 'chat')).toBe(false)
    expect(knows('constructor/x', 'chat')).toBe(false)
  })

  test('a bare name is a model of the provider that lists it', () => {
    expect(knows('llama', 'chat')).toBe(true)
  })

  test('Anthropic has no embeddings', () => {
    expect(knows('claude/x', 'embedding')).toBe(false)
    expect(knows('local/llama', 'embedding')).toBe(true)
  })

  test('without providers nothing is known', async () => {
    const none = createModels({ providers: {} })
    expect(none.knows(null, 'chat')).toBe(false)
    expect(none.knows('gpt-4o', 'chat')).toBe(false)
    expect((await fault(none.ask(question({ model: null })))).fault).toBe('no_provider')
  })

  test('the default model is asked where none is named', async () => {
    const started = await provider()
    const { ask } = models(started, { defaultModel: 'claude/judge-9' })
    await ask(question({ model: null }))
    await ask(question({ model: 'judge-8' }))
    expect(started.asked.map(({ api, model }) => `${api} ${model}`)).toEqual(['anthropic judge-9', 'anthropic judge-8'])
  })
})
