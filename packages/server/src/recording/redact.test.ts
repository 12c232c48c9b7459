import type { ConversationEventInput, ConversationEventKind } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redactedKinds, redactionSchema } from '../config/redaction.ts'
import { createRedact } from './redact.ts'

type Rules = Parameters<typeof redactionSchema.parse>[0]

const place = { at: '2025-01-27T12:00:00.000Z', run_id: null, invocation_id: null, event_id: null }

function eventOf(kind: ConversationEventKind, payload: object): ConversationEventInput {
  // Tests make payloads of each kind by hand.
  return { ...place, kind, payload } as ConversationEventInput
}

function payloadOf(rules: Rules, kind: ConversationEventKind, payload: object): unknown {
  return createRedact(redactionSchema.parse(rules))([eventOf(kind, payload)])[0]?.payload
}

const words = (rules: Rules, text: string) => payloadOf(rules, 'thinking', { text })

describe('what must not be kept of a conversation', () => {
  it.each([
    ['email', 'Write to Ann.Lee+x@mail.example.co.uk now', 'Write to [redacted:email] now'],
    ['email', 'grüße@exämple.de', '[redacted:email]'],
    ['phone', 'Call +49 (30) 1234-5678 or 212-555-0187.', 'Call [redacted:phone] or [redacted:phone].'],
    [
      'credit_card',
      'card 4111 1111 1111 1111, order 4111 1111 1111 1112',
      'card [redacted:credit_card], order 4111 1111 1111 1112',
    ],
    ['iban', 'to DE89 3704 0044 0532 0130 00 please', 'to [redacted:iban] please'],
    ['iban', 'not DE88370400440532013000', 'not DE88370400440532013000'],
    ['us_ssn', 'SSN 123-45-6789 and 000-12-3456', 'SSN [redacted:us_ssn] and 000-12-3456'],
    [
      'ip_address',
      'from 10.0.0.7, fe80::1 and 1.2.3.4.5 at 12:30',
      'from [redacted:ip_address], [redacted:ip_address] and 1.2.3.4.5 at 12:30',
    ],
    ['secret', 'key sk-proj-abcdefghijklmnop1234 and password: hunter2', 'key [redacted:secret] and [redacted:secret]'],
    ['secret', 'Authorization: Bearer abcdefghijklmnop', 'Authorization: [redacted:secret]'],
  ] as const)('is %s where it looks like one: %s', (kind, text, rest) => {
    expect(words({ kinds: [kind] }, text)).toEqual({ text: rest })
    const others = redactedKinds.filter((one) => one !== kind)
    expect(words({}, text)).toEqual({ text })
    expect(JSON.stringify(words({ kinds: others }, text))).not.toContain(`[redacted:${kind}]`)
  })

  it('is what patterns of the configuration fit, in their words', () => {
    const patterns = [{ name: 'customer', pattern: 'c-[0-9]+', flags: 'i' }]
    expect(words({ patterns }, 'C-12 and c-7')).toEqual({ text: '[redacted:customer] and [redacted:customer]' })
  })

  it('is what stands where the configuration says', () => {
    const args = { card: { number: '12', list: [{ pin: 1 }, { pin: { a: 2 } }, { pin: [3] }] }, pin: 'x', other: 1 }
    const paths = ['args.card.number', 'args.card.list.*.pin']
    expect(payloadOf({ paths }, 'tool_call', { id: 'c', name: 'pay', args })).toEqual({
      id: 'c',
      name: 'pay',
      args: {
        card: { number: '[redacted]', list: [{ pin: '[redacted]' }, { pin: {} }, { pin: [] }] },
        pin: 'x',
        other: 1,
      },
    })
    const anywhere = payloadOf({ paths: ['**.pin'] }, 'tool_call', { id: 'c', name: 'pay', args })
    expect(JSON.stringify(anywhere)).not.toMatch(/"pin":(?!"\[redacted\]"|\{\}|\[\])/)
    expect(payloadOf({ paths: ['args'] }, 'tool_call', { args })).toEqual({ args: {} })
    expect(payloadOf({ paths: ['**'] }, 'tool_call', { args, id: 'c' })).toEqual({ args: {}, id: '[redacted]' })
  })

  it('is looked for in every kind of event, and in keys and numbers of what tools say', () => {
    const rules = { kinds: ['email', 'credit_card'] } as const
    const a = 'a@example.com'
    const gone = '[redacted:email]'
    expect(payloadOf(rules, 'user_message', { id: a, text: a, files: [], author: null })).toEqual({
      id: a,
      text: gone,
      files: [],
      author: null,
    })
    expect(payloadOf(rules, 'assistant_message', { text: a })).toEqual({ text: gone })
    expect(payloadOf(rules, 'run_end', { status: 'failed', code: null, message: a })).toMatchObject({ message: gone })
    const said = { [a]: { id: a, name: a, n: 4111111111111111, m: 7 } }
    const rest = { [gone]: { id: gone, name: gone, n: '[redacted:credit_card]', m: 7 } }
    expect(payloadOf(rules, 'tool_result', { id: a, name: a, result: said })).toEqual({ id: a, name: a, result: rest })
    const adk = {
      id: a,
      author: a,
      content: {
        role: 'model',
        parts: [
          { text: a, thoughtSignature: a },
          { functionCall: { id: a, name: a, args: said } },
          { functionResponse: { id: a, name: a, response: said } },
          { inlineData: { mimeType: a, data: a } },
        ],
      },
      actions: { stateDelta: said },
      errorMessage: a,
      timestamp: 4111111111111111,
    }
    expect(payloadOf(rules, 'adk_event', adk)).toEqual({
      id: a,
      author: a,
      content: {
        role: 'model',
        parts: [
          { text: gone, thoughtSignature: a },
          { functionCall: { id: a, name: a, args: rest } },
          { functionResponse: { id: a, name: a, response: rest } },
          { inlineData: { mimeType: a, data: a } },
        ],
      },
      actions: { stateDelta: rest },
      errorMessage: gone,
      timestamp: 4111111111111111,
    })
    expect(payloadOf(rules, 'agui_event', { type: 'STATE_SNAPSHOT', snapshot: said, messageId: a })).toEqual({
      type: 'STATE_SNAPSHOT',
      snapshot: rest,
      messageId: a,
    })
    expect(payloadOf(rules, 'agui_event', { type: 'TOOL_CALL_RESULT', toolCallId: a, content: a })).toEqual({
      type: 'TOOL_CALL_RESULT',
      toolCallId: a,
      content: gone,
    })
  })

  it('is not left in the pieces of a text that ADK tells again as a whole', () => {
    const piece = { partial: true, content: { role: 'model', parts: [{ text: 'a@exam' }, { functionCall: {} }] } }
    expect(payloadOf({ kinds: ['email'] }, 'adk_event', piece)).toEqual({
      partial: true,
      content: { role: 'model', parts: [{ text: '' }, { functionCall: {} }] },
    })
    expect(payloadOf({}, 'adk_event', piece)).toBe(piece)
  })

  it('leaves keys such as __proto__ what they are', () => {
    const args: unknown = JSON.parse('{"__proto__":{"a":"x@example.com"},"constructor":1}')
    const rest = payloadOf({ kinds: ['email'], paths: ['args.none'] }, 'tool_call', { args })
    expect(JSON.stringify(rest)).toBe('{"args":{"__proto__":{"a":"[redacted:email]"},"constructor":1}}')
  })

  it('is a number only where that is whole and not below zero: the digits of a fraction are nobody’s telephone', () => {
    const args = {
      whole: 4111111111111111,
      part: 72.00158162279868,
      card: 4267233990747.1025,
      below: -4795419346091815,
    }
    expect(payloadOf({ kinds: [...redactedKinds] }, 'tool_call', { args })).toEqual({
      args: { ...args, whole: '[redacted:credit_card]' },
    })
  })

  it('changes nothing where nothing fits', () => {
    const rules = {
      kinds: [...redactedKinds],
      paths: ['never.there'],
      patterns: [{ name: 'n', pattern: '\\u0001never' }],
    }
    const redact = createRedact(redactionSchema.parse(rules))
    const plain = fc.string({ unit: fc.constantFrom(...Array.from('abc XYZ,.')) })
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: fc.constantFrom(...Array.from('abc XYZ,')) }), plain, (args, text) => {
        // A long whole number may be that of a card or a telephone.
        fc.pre(!/(?<![\d.])\d{5,}(?![\d.e])/.test(JSON.stringify(args)))
        const event = eventOf('tool_call', { id: 'c', name: 'n', args: { args }, text })
        expect(redact([event])).toEqual([event])
      }),
      { numRuns: 200 },
    )
  })

  it('ends also where a pattern of the configuration would not', () => {
    const patterns = [{ name: 'slow', pattern: '(a+)+$' }]
    expect(() => words({ patterns }, `${'a'.repeat(60)}b`)).toThrow('could not be told from the rest in time')
  })

  it.each(redactedKinds)('is found in long texts without end in sight: %s', (kind) => {
    const parts = ['a.', '1 ', '4-', 'a@', '00', '+1 ', '1.', ':0', 'sk-', 'DE12 ', '-----BEGIN ', 'password=']
    for (const part of parts) {
      const text = part.repeat(4_000)
      const redact = createRedact(redactionSchema.parse({ kinds: [kind], patterns: [{ name: 'n', pattern: 'zzz' }] }))
      // Whatever takes longer than two seconds is refused.
      expect(() => redact([eventOf('thinking', { text })]), part).not.toThrow()
    }
  })
})

describe('the rules of a configuration', () => {
  it.each([
    [{ kinds: ['names'] }, 'kinds'],
    [{ patterns: [{ name: 'a', pattern: '(' }] }, 'pattern'],
    [{ patterns: [{ name: 'a', pattern: 'x*' }] }, 'pattern'],
    [{ patterns: [{ name: 'a b', pattern: 'x' }] }, 'name'],
    [{ patterns: [{ name: 'a', pattern: 'x', flags: 'g' }] }, 'flags'],
    [{ paths: ['a..b'] }, 'paths'],
    [{ path: [] }, ''],
  ])('are refused where they make no sense: %j', (rules, where) => {
    const { error } = redactionSchema.safeParse(rules)
    expect(error?.issues[0]?.path.join('.')).toContain(where)
  })
})
