import { type Models, TaskFailed } from '@llm-eval/engine'
import { expect, it } from 'vitest'
import { answererOf, type TaskTools } from './tasks.ts'
import { Turns } from './turns.ts'

/** Why the endpoint of a task did not answer. */
async function failureOf(status: number, headers: Record<string, string>): Promise<unknown> {
  const fetch: TaskTools['fetch'] = async () => new Response('busy', { status, headers })
  const tools = { models: null, fetch, addressFault: () => undefined, turns: new Turns(1), clock: () => 0 }
  const answer = answererOf({ kind: 'http', url: 'https://agent.example.com/' }, tools)
  const ask = { case: { id: 'a', input: 1 }, repetition: 1, attempt: 1, signal: new AbortController().signal }
  return await Promise.resolve(answer(ask)).catch((error: unknown) => error)
}

it.each([
  ['seconds', { 'retry-after': '7' }, 7_000],
  ['parts of a second', { 'retry-after': ' 0.5 ' }, 500],
  [
    'a time, by its own clock',
    { date: 'Wed, 21 Oct 2015 07:28:00 GMT', 'retry-after': 'Wed, 21 Oct 2015 07:28:09 GMT' },
    9_000,
  ],
  ['a time that is over', { date: 'Wed, 21 Oct 2015 07:28:00 GMT', 'retry-after': 'Wed, 21 Oct 2015 07:27:00 GMT' }, 0],
  ['a time without its own', { 'retry-after': 'Wed, 21 Oct 2015 07:28:09 GMT' }, null],
  ['nonsense', { 'retry-after': 'soon' }, null],
  ['nothing', {}, null],
])('an endpoint that has too much to do is asked again when it says: %s', async (_what, headers, afterMs) => {
  for (const status of [429, 503]) {
    const failure = await failureOf(status, headers)
    expect(failure).toBeInstanceOf(TaskFailed)
    expect(failure).toMatchObject({ retry: true, afterMs })
  }
  expect(await failureOf(400, headers)).toMatchObject({ retry: false })
})

it('a model took as long as it was asked, and not as long as others were asked before it', async () => {
  let now = 0
  const models: Models = {
    knows: () => true,
    nameOf: () => 'test/slow',
    ask: () => Promise.reject(new Error('nothing is asked for a shape')),
    embed: () => Promise.reject(new Error('nothing is embedded')),
    complete() {
      now += 7
      const usage = { model: 'slow', input_tokens: 1, output_tokens: 1, cost: null, cached: false }
      return Promise.resolve({ text: 'so', usage })
    },
  }
  const turns = new Turns(1)
  const before = Promise.withResolvers<void>()
  const held = turns.take(new AbortController().signal, () => before.promise)
  const tools = { models, fetch: globalThis.fetch, addressFault: () => undefined, turns, clock: () => now }
  const answer = answererOf({ kind: 'prompt', template: '{{input}}' }, tools)
  const ask = { case: { id: 'a', input: 1 }, repetition: 1, attempt: 1, signal: new AbortController().signal }
  const asked = answer(ask)
  now += 5_000
  before.resolve()
  await held
  expect(await asked).toMatchObject({ output: 'so', tokens: 2, cost: null, responseTimeMs: 7 })
})
