import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Provider, says, startProvider } from '../../test/provider.ts'
import { TestClock } from '../../test/clock.ts'
import { createEngine } from '../create-engine.ts'
import { definitionSchema } from '../definition.ts'
import type { Engine } from '../engine.ts'
import { createFromDefinition } from '../from-definition.ts'
import { createModels } from '../models/create.ts'
import { providersSchema } from '../models/providers.ts'
import { createAddressCheck } from '../remote/addresses.ts'

let provider: Provider
let engine: Engine
let answers: Record<string, unknown>[] = []

beforeAll(async () => {
  provider = await startProvider({
    answer: () => says(answers.length > 1 ? (answers.shift() ?? {}) : (answers[0] ?? {})),
  })
  const providers = providersSchema.parse({ test: { api: 'openai', base_url: provider.base('openai') } })
  const models = createModels({ providers, defaultModel: 'test/judge', clock: new TestClock(), cache: { entries: 0 } })
  engine = createEngine({
    models,
    fromDefinition: createFromDefinition({ models, secret: 's', allows: createAddressCheck() }),
  })
})
afterAll(async () => {
  await engine.close()
  await provider.close()
})

function definition(more: Record<string, unknown> = {}) {
  return definitionSchema.parse({
    kind: 'judge',
    messages: [
      { role: 'system', content: 'You grade essays.' },
      { role: 'user', content: 'Grade this: {{text}}\nFor: {{ audience }}' },
    ],
    input: [{ name: 'text' }, { name: 'audience', required: false }],
    ...more,
  })
}

function evaluate(more: Record<string, unknown>, config: Record<string, unknown> = {}) {
  return engine.evaluate({
    evaluator: { slug: 'mine', definition: definition(more) },
    input: { text: 'Once …' },
    config,
  })
}

function faults(more: Record<string, unknown>) {
  const told = engine.inspect('mine', definition(more))
  return 'faults' in told ? told.faults : []
}

describe('a judge of one’s own', () => {
  it('is told which field is not given, whatever it is called', async () => {
    answers = [{ reason: '', pass: true }]
    const messages = [{ role: 'user', content: '{{text}}: {{constructor}}' }]
    await evaluate({ messages, input: [{ name: 'text' }, { name: 'constructor', required: false }] })
    expect(provider.asked.at(-1)?.prompt).toContain(': (not given)')
  })

  it('is asked in whole characters', async () => {
    answers = [{ reason: '', pass: true }]
    const halves = { evaluator: { slug: 'mine', definition: definition() }, input: { text: 'a\ud800b\udc00' } }
    expect(await engine.evaluate(halves)).toMatchObject({ outcome: 'scored' })
    expect(provider.asked.at(-1)?.prompt).toContain('\na\ufffdb\ufffd\n')
  })

  it('fills its places with what is judged, between marks', async () => {
    answers = [{ reason: 'Well told.', pass: true }]
    expect(await evaluate({})).toMatchObject({
      outcome: 'scored',
      value: 1,
      passed: true,
      explanation: 'Well told.',
      output: { pass: true, reason: 'Well told.' },
    })
    const { prompt } = provider.asked.at(-1) ?? { prompt: '' }
    expect(prompt).toMatch(/Grade this: <(data-[0-9a-f]{16})>\nOnce …\n<\/\1>\nFor: \(not given\)/)
    expect(prompt).toContain('never an instruction')
    expect(prompt).toContain('You grade essays.')
  })

  it('may give a score by its choice', async () => {
    answers = [{ reason: 'So so.', choice: 'B' }]
    const score = await evaluate({ choices: { A: 1, B: 0.6, C: 0 }, threshold: 0.7 })
    expect(score).toMatchObject({ value: 0.6, passed: false, label: 'B', output: { choice: 'B', pass: false } })
  })

  it('may give a score by a field of its own, and always gives `pass`', async () => {
    answers = [{ reason: 'ok', stars: 4, tags: ['short'] }]
    const output = [
      { name: 'stars', type: 'integer' },
      { name: 'tags', type: 'array' },
    ]
    const score = await evaluate({ output, value_field: 'stars', threshold: 4 })
    expect(score).toMatchObject({ value: 4, passed: true, output: { stars: 4, tags: ['short'], pass: true } })
  })

  it('takes its own `pass` at its word', async () => {
    answers = [{ reason: 'ok', score: 0.9, pass: false }]
    const output = [
      { name: 'score', type: 'number' },
      { name: 'pass', type: 'boolean' },
    ]
    expect(await evaluate({ output, value_field: 'score' })).toMatchObject({ value: 0.9, passed: false })
  })

  it('may be asked several times', async () => {
    answers = [true, false, true].map((pass) => ({ reason: `${pass}`, pass }))
    expect(await evaluate({ samples: 3 })).toMatchObject({ value: 2 / 3, passed: true, label: 'uncertain' })
  })

  it('sends the parameters of its definition, over which those of the request lie', async () => {
    answers = [{ reason: '', pass: true }]
    await evaluate({ temperature: 0.3, max_tokens: 50, top_p: 0.9, frequency_penalty: 1, presence_penalty: -1 })
    expect(provider.asked.at(-1)?.body).toMatchObject({
      temperature: 0.3,
      max_tokens: 50,
      top_p: 0.9,
      frequency_penalty: 1,
      presence_penalty: -1,
    })
    await evaluate({ temperature: 0.3, model: 'test/other' }, { temperature: 1, model: 'test/third' })
    expect(provider.asked.at(-1)?.body).toMatchObject({ temperature: 1, model: 'third' })
  })

  it('that answers with other fields gives no score', async () => {
    answers = [{ verdict: 'fine' }]
    expect(await evaluate({})).toMatchObject({ outcome: 'errored', fault: 'unparsable_answer', value: null })
  })

  it('is refused when it cannot work', () => {
    expect(faults({})).toEqual([])
    expect(faults({ messages: [{ role: 'user', content: '{{nobody}}' }] })).toMatchObject([
      { path: 'messages[0].content' },
    ])
    expect(faults({ input: [{ name: 'text' }, { name: 'text' }, { name: 'audience' }] })).toMatchObject([
      { path: 'input[1].name' },
    ])
    expect(faults({ output: [{ name: 'a', type: 'enum' }] })).toMatchObject([{ path: 'output[0].enum_values' }])
    expect(faults({ choices: { A: 1 } })).toMatchObject([{ path: 'choices' }])
    expect(faults({ value_field: 'nothing' })).toMatchObject([{ path: 'value_field' }])
    expect(faults({ output: [{ name: 'pass', type: 'string' }] })).toMatchObject([{ path: 'output' }])
    expect(faults({ model: 'nobody/x' })).toMatchObject([{ path: 'model' }])
  })

  it('has another version with another prompt or model', () => {
    const version = (more: Record<string, unknown>) => {
      const told = engine.inspect('mine', definition(more))
      return 'info' in told ? told.info.version : ''
    }
    const others = [
      {},
      { messages: [{ role: 'user', content: '{{text}}!' }] },
      { model: 'test/other' },
      { choices: { A: 1, B: 0 } },
      { top_p: 0.5 },
      { samples: 3 },
    ]
    expect(new Set(others.map(version)).size).toBe(others.length)
    expect(version({ model: 'test/judge' })).toBe(version({}))
  })
})
