import * as sdk from '@traceloop/node-server-sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Scene, setScene } from './scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await setScene({
    cassette: { name: 'guards', about: 'Guards that need no language model, passing and not.' },
  })
})
afterAll(() => scene[Symbol.asyncDispose]())

/** What the guards say of a text, or of the fields of an object. */
async function verdicts(output: string | Record<string, unknown>, guards: sdk.Guard[]): Promise<boolean[]> {
  const { results } = await sdk.validateContent(output, guards)
  return results.map(({ passed }) => passed)
}

describe("the SDK's guard", () => {
  it.each([
    {
      name: 'pii',
      guard: sdk.piiGuard(),
      fine: 'The weather is mild today.',
      bad: 'Write to ada.lovelace@example.com or +1 415 555 0132.',
    },
    {
      name: 'secrets',
      guard: sdk.secretsGuard(),
      fine: 'No key here.',
      bad: 'AKIAIOSFODNN7EXAMPLE and ghp_0123456789abcdefghijklmnopqrstuvwxyz',
    },
    { name: 'profanity', guard: sdk.profanityGuard(), fine: 'What a lovely day.', bad: 'What a load of bullshit.' },
    { name: 'JSON', guard: sdk.jsonValidatorGuard(), fine: '{"a": 1}', bad: '{"a": ' },
    {
      name: 'SQL',
      guard: sdk.sqlValidatorGuard(),
      fine: 'SELECT name FROM users WHERE id = 1',
      bad: 'SELEC name FORM users WERE',
    },
    { name: 'regex', guard: sdk.regexValidatorGuard({ config: { regex: '^\\d+$' } }), fine: '12345', bad: 'twelve' },
  ])('for $name lets pass what is fine, and not what is not', async ({ guard, fine, bad }) => {
    expect(await verdicts(fine, [guard])).toEqual([true])
    expect(await verdicts(bad, [guard])).toEqual([false])
  })

  it('for JSON holds it to a schema', async () => {
    const schema = '{"type":"object","required":["a"]}'
    const guard = sdk.jsonValidatorGuard({ config: { enable_schema_validation: true, schema_string: schema } })
    expect([...(await verdicts('{"a":1}', [guard])), ...(await verdicts('{"b":1}', [guard]))]).toEqual([true, false])
  })

  it('takes the fields of an object under any of their names', async () => {
    const output = { answer: 'Write to ada@example.com', unheard_of: { deep: [1] } }
    expect(await verdicts(output, [sdk.piiGuard(), sdk.profanityGuard()])).toEqual([false, true])
  })

  it('keeps an answer from the user that does not pass', async () => {
    const safe = sdk.guard(async () => 'Call 415-555-0132 or mail bob@example.com', [sdk.piiGuard()], {
      onFailure: 'Sorry, that is private.',
    })
    expect(await safe()).toBe('Sorry, that is private.')
  })

  it('fails loudly when it cannot be told', async () => {
    const guard = sdk.regexValidatorGuard({ config: { regex: '(' } })
    await expect(verdicts('a', [guard])).rejects.toThrow(/Guardrail API returned \d+.*regular expression/)
    const none = sdk.customEvaluatorGuard('no-such-evaluator')
    await expect(verdicts('a', [none])).rejects.toThrow(/There is no evaluator no-such-evaluator/)
  })

  it('of an evaluator by its slug waits for its result', async () => {
    const guard = sdk.customEvaluatorGuard('exact-match')
    expect(await verdicts({ response: 'a', reference: 'a' }, [guard])).toEqual([true])
    expect(await verdicts({ response: 'a', reference: 'b', more: [1, { deep: true }] }, [guard])).toEqual([false])
    const counted = sdk.customEvaluatorGuard('word-count', { conditionField: 'word_count', condition: sdk.lt(3) })
    expect(await verdicts('two words', [counted])).toEqual([true])
  })
})
