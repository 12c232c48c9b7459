import * as sdk from '@traceloop/node-server-sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fails, says } from '../packages/engine/test/provider.ts'
import { type Scene, setScene } from './scene.ts'

let scene: Scene
beforeAll(async () => {
  const about = 'The catalogue of evaluators, runs of them, judges that a model answers, and their guards.'
  scene = await setScene({ cassette: { name: 'judges', about } })
})
afterAll(() => scene[Symbol.asyncDispose]())

const judge = {
  name: 'Quality Judge',
  provider: 'openai',
  model: 'gpt-4.1-mini',
  messages: [
    { role: 'system' as const, content: 'You are strict.' },
    { role: 'user' as const, content: 'Is this any good? {{text}}' },
  ],
  inputSchema: [{ name: 'text', type: 'string' as const }],
  outputSchema: [
    { name: 'passed', type: 'boolean' as const },
    { name: 'reason', type: 'string' as const },
  ],
  temperature: 0.2,
}

describe("the SDK's catalogue of evaluators", () => {
  it('takes a judge of its own, and gives it back by id and by slug', async () => {
    const { evaluator } = scene.client
    const made = await evaluator.create(judge)
    expect(made.slug).toBe('quality-judge')
    for (const key of [made.id, made.slug]) {
      expect(await evaluator.get(key)).toMatchObject({
        id: made.id,
        slug: 'quality-judge',
        name: 'Quality Judge',
        source: 'custom',
        provider: 'openai',
        model: 'gpt-4.1-mini',
        messages: judge.messages,
        temperature: 0.2,
        inputSchema: [{ name: 'text', type: 'string' }],
        outputSchema: [{ name: 'passed' }, { name: 'reason' }],
      })
    }
    await expect(evaluator.create(judge)).rejects.toThrow('The name quality-judge is taken.')
  })

  it('lists what is custom, with its schemas', async () => {
    const listed = await scene.client.evaluator.list('custom')
    expect(listed).toMatchObject([{ slug: 'quality-judge', inputSchema: [{ name: 'text' }], outputSchema: [{}, {}] }])
  })

  it('shows a built-in evaluator too, though it has no provider', async () => {
    expect(await scene.client.evaluator.get('pii-detector')).toMatchObject({ source: 'prebuilt', provider: 'builtin' })
    await expect(scene.client.evaluator.get('none-such')).rejects.toThrow('There is no evaluator none-such.')
  })

  it('changes what is given and leaves the rest', async () => {
    const { evaluator } = scene.client
    const before = await evaluator.get('quality-judge')
    expect(await evaluator.update('quality-judge', { name: 'Better', model: 'gpt-4.1' })).toEqual({ id: before.id })
    const after = await evaluator.get('quality-judge')
    expect(after).toMatchObject({ name: 'Better', model: 'gpt-4.1', provider: 'openai', messages: judge.messages })
    expect(after).toMatchObject({ temperature: 0.2, inputSchema: before.inputSchema })
    expect(after.version).not.toBe(before.version)
    await evaluator.update('quality-judge', { inputSchema: after.inputSchema, outputSchema: after.outputSchema })
    expect((await evaluator.get('quality-judge')).version).toBe(after.version)
    await expect(evaluator.update('pii-detector', { name: 'Mine' })).rejects.toThrow('is built in')
  })
})

describe("the SDK's run of an evaluator", () => {
  it('gives the result fields of a judge, with a verdict', async () => {
    scene.provider.next(says({ passed: true, reason: 'sound' }))
    const { executionId, result } = await scene.client.evaluator.run('quality-judge', { input: { text: 'Fine.' } })
    expect(result).toMatchObject({ passed: true, reason: 'sound', pass: true })
    expect(executionId).not.toBe('')
    expect(scene.provider.asked.at(-1)?.prompt).toContain('Fine.')
  })

  it('gives the result fields of a built-in one', async () => {
    const { result } = await scene.client.evaluator.run('char-count', { input: { text: 'four' } })
    expect(result).toMatchObject({ charCount: 4 })
  })

  it('says what is wrong with an input', async () => {
    const run = scene.client.evaluator.run('quality-judge', { input: { other: 1 } })
    await expect(run).rejects.toThrow(/input.text: is required/)
  })
})

describe("the SDK's guard of a judge", () => {
  it('passes or not by the verdict', async () => {
    const guard = sdk.customEvaluatorGuard('quality-judge')
    scene.provider.next(says({ passed: false, reason: 'rude' }))
    expect((await sdk.validateContent('Go away.', [guard])).results).toMatchObject([
      { passed: false, output: { pass: false, passed: false, reason: 'rude' } },
    ])
    scene.provider.next(says({ passed: true, reason: 'kind' }))
    expect((await sdk.validateContent('Do come in.', [guard])).passed).toBe(true)
  })

  it('fails loudly when the model does', async () => {
    scene.provider.next(...Array.from({ length: 10 }, () => fails(400, 'no such model')))
    const guard = sdk.customEvaluatorGuard('quality-judge')
    await expect(sdk.validateContent('Anything new.', [guard])).rejects.toThrow(
      /Custom evaluator result returned 5\d\d/,
    )
  })
})
