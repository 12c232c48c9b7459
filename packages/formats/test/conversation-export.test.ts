import { createHash } from 'node:crypto'
import type { ConversationTokens } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEvalSet } from '../src/adk/index.ts'
import { caseName, exportConversation, exportConversations, summarise, toTrace } from '../src/conversation/index.ts'
import { adk, ask, began, end, head, record, say, start } from './conversation-told.ts'

const noUsage: ConversationTokens = { input: null, output: null, thoughts: null, cached: null, total: null }

describe('numbers of a conversation', () => {
  it('are those of seed 003: thoughts, calls, seconds', () => {
    const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 2, thoughtsTokenCount: 3, totalTokenCount: 15 }
    const events = record(
      start(),
      ask('  the 10th\nprime? '),
      adk([{ functionCall: { id: 'c', name: 'prime', args: { n: 10 } }, thoughtSignature: 'CrQC' }], {
        usageMetadata,
        modelVersion: 'm',
        partial: true,
        id: 'p',
      }),
      adk([{ functionCall: { id: 'c', name: 'prime', args: { n: 10 } }, thoughtSignature: 'CrQC' }], {
        usageMetadata,
        modelVersion: 'm',
      }),
      adk([{ text: '29' }], { id: 'y', author: 'poet' }),
      end('finished'),
    )
    expect(summarise(events)).toEqual({
      title: 'the 10th prime?',
      state: 'finished',
      error: null,
      started_at: new Date(began).toISOString(),
      updated_at: new Date(began + 500).toISOString(),
      events: 6,
      turns: 1,
      tool_calls: 1,
      tokens: { input: 10, output: 5, thoughts: 3, cached: null, total: 15 },
      agents: ['root_agent', 'poet'],
      models: ['m'],
      session_stats: { totalThinkingTokens: 3, totalToolCalls: 1, durationSeconds: 0.5 },
      thinking: [{ thoughtsTokenCount: 3, totalTokenCount: 15, model: 'm' }],
    })
  })

  it('are unknown where nobody told them, never 0', () => {
    expect(summarise(record(ask('hi'), say('Hello')))).toMatchObject({
      tokens: noUsage,
      models: [],
      session_stats: { totalThinkingTokens: null },
    })
    expect(summarise([])).toMatchObject({
      events: 0,
      turns: 0,
      title: '',
      started_at: '',
      tokens: noUsage,
      state: 'running',
    })
  })
})

describe('an export', () => {
  const events = record(
    start('a'),
    ask('hi', 'a'),
    adk(
      [
        { text: 'Hm', thought: true },
        { text: 'Hello', thoughtSignature: 'CrQC' },
      ],
      { invocationId: 'e-1' },
      'a',
    ),
    end('finished', 'a'),
    start('b'),
    ask('10th prime?', 'b'),
    adk(
      [{ functionCall: { id: 'c', name: 'prime', args: { userId: 1 } }, thoughtSignature: 'CrQC' }],
      { invocationId: 'e-2', id: '2' },
      'b',
    ),
    adk(
      [{ functionResponse: { id: 'c', name: 'prime', response: { result: 29 } } }],
      { invocationId: 'e-2', id: '3' },
      'b',
    ),
    adk([{ text: '29' }], { invocationId: 'e-2', id: '4', usageMetadata: { totalTokenCount: 9 } }, 'b'),
    end('finished', 'b'),
  )

  it('is an eval set around the case of the seed, with a name that is the same everywhere', () => {
    const file = exportConversation(head, events, { format: 'evalset' })
    const name = `case${createHash('sha256').update('thread-1').digest('hex').slice(0, 12)}`
    expect(file).toMatchObject({ fileName: `${name}.evalset.json`, mediaType: 'application/json', warnings: [] })
    const set: unknown = JSON.parse(file.text)
    expect(set).toMatchObject({ eval_set_id: `set_${name}`, name: 'thread-1', creation_timestamp: began / 1_000 })
    const bare: unknown = JSON.parse(exportConversation(head, events, { format: 'evalcase' }).text)
    expect(set).toMatchObject({ eval_cases: [bare] })
    expect(bare).toEqual({
      eval_id: name,
      conversation: [
        {
          invocation_id: 'e-1',
          user_content: { parts: [{ text: 'hi' }], role: 'user' },
          final_response: {
            parts: [
              { text: 'Hm', thought: true },
              { text: 'Hello', thought_signature: 'CrQC' },
            ],
            role: 'model',
          },
          intermediate_data: { invocation_events: [] },
          creation_timestamp: (began + 100) / 1_000,
        },
        {
          invocation_id: 'e-2',
          user_content: { parts: [{ text: '10th prime?' }], role: 'user' },
          final_response: { parts: [{ text: '29' }], role: 'model' },
          intermediate_data: {
            invocation_events: [
              {
                author: 'root_agent',
                content: {
                  parts: [
                    { function_call: { id: 'c', args: { userId: 1 }, name: 'prime' }, thought_signature: 'CrQC' },
                  ],
                  role: 'model',
                },
              },
              {
                author: 'root_agent',
                content: {
                  parts: [{ function_response: { id: 'c', name: 'prime', response: { result: 29 } } }],
                  role: 'model',
                },
              },
            ],
          },
          creation_timestamp: (began + 500) / 1_000,
        },
      ],
      session_input: { app_name: 'shop', user_id: 'ann' },
      creation_timestamp: began / 1_000,
    })
  })

  it('has thoughts with the final response, which ADK holds against one with thoughts, or apart where that is wished (trap 7)', () => {
    const { text } = exportConversation(head, events, { format: 'evalcase', thoughts: 'apart' })
    expect(JSON.parse(text)).toMatchObject({
      conversation: [
        {
          final_response: { parts: [{ text: 'Hello', thought_signature: 'CrQC' }], role: 'model' },
          intermediate_data: {
            invocation_events: [{ author: 'root_agent', content: { parts: [{ text: 'Hm', thought: true }] } }],
          },
        },
        {},
      ],
    })
  })

  it('for older versions has what agents did by kinds', () => {
    const { text, warnings } = exportConversation(head, events, { format: 'legacy' })
    expect(JSON.parse(text)).toMatchObject({
      eval_cases: [
        {
          conversation: [{}, { intermediate_data: { tool_uses: [{ name: 'prime' }], tool_responses: [{ id: 'c' }] } }],
        },
      ],
    })
    expect(warnings).toEqual([
      'eval_cases[0].conversation[1] has thought signatures of calls, which have no place here',
    ])
  })

  it('can be of some turns, and tells of tokens where that is wished', () => {
    const { text } = exportConversation(head, events, { format: 'evalset', turns: [1], usage: 'included' })
    expect(JSON.parse(text)).toMatchObject({ eval_cases: [{ conversation: [{ invocation_id: 'e-2' }] }] })
    expect(text).toContain('"total_token_count": 9')
  })

  it('as a trace is one that the webhook takes', () => {
    expect(toTrace(head, events)).toEqual({
      trace_id: 'thread-1',
      timestamp: new Date(began).toISOString(),
      model_name: 'unknown',
      user_query: 'hi\n\n10th prime?',
      ai_response: 'Hello\n\n29',
      functions_called: [{ name: 'prime', parameters: { userId: 1 }, result: { result: 29 } }],
      metadata: {
        app_name: 'shop',
        agents: ['root_agent'],
        models: [],
        turns: [
          { user: 'hi', response: 'Hello' },
          { user: '10th prime?', response: '29' },
        ],
      },
      tokens_used: 9,
      response_time_ms: 600,
      session_id: 'thread-1',
      user_id: 'ann',
      source: 'conversation',
    })
    expect(JSON.parse(exportConversation(head, events, { format: 'trace' }).text)).toEqual(toTrace(head, events))
  })

  it('as lines is what was recorded', () => {
    const { text, mediaType } = exportConversation(head, events, { format: 'jsonl' })
    expect(mediaType).toBe('application/x-ndjson')
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    ).toEqual(events)
  })

  it('says that a request has no end, or a bad one', () => {
    const { warnings } = exportConversation(
      head,
      record(start('a'), ask('x', 'a'), end('truncated', 'a', 'cut'), start('b')),
      { format: 'evalset' },
    )
    expect(warnings).toEqual([
      'request a is truncated: cut',
      'request b has no end: what was heard of it may not be all',
    ])
  })

  it('says what of an answer was not kept as it was written, where its request says so', () => {
    const { warnings } = exportConversation(
      head,
      record(start('a'), ask('x', 'a'), say('ok', 'a'), end('finished', 'a', 'not as written: 1e999')),
      { format: 'evalset' },
    )
    expect(warnings).toEqual(['request a: not as written: 1e999'])
  })

  it('has no half characters, which the reader of ADK refuses with the whole file', () => {
    const events = record(start('a'), ask('half \ud800 \\ud800', 'a'), say('a \udfff b 😀', 'a'), end('finished', 'a'))
    for (const format of ['evalset', 'evalcase', 'legacy'] as const) {
      const { text, warnings } = exportConversation({ ...head, thread_id: 't\ud800' }, events, { format })
      expect(text).not.toMatch(/(?<!\\)\\ud[89a-f]/)
      expect(text).toContain('half \ufffd \\\\ud800')
      expect(text).toContain('a \ufffd b 😀')
      expect(warnings).toEqual(['half characters are written as \ufffd'])
    }
  })

  it('has the state from before the first turn only, and none that was for one turn (trap 23)', () => {
    const state = { 'user:tier': 'gold', 'temp:x': 1, cart_items: 2 }
    const told = record(
      adk([{ text: 'hi' }], { author: 'user', id: 'u', actions: { stateDelta: state } }),
      adk([{ text: 'Hello' }], { id: 'a', actions: { stateDelta: { later: 1 } } }),
    )
    expect(JSON.parse(exportConversation(head, told, { format: 'evalcase' }).text)).toMatchObject({
      session_input: { app_name: 'shop', user_id: 'ann', state: { 'user:tier': 'gold', cart_items: 2 } },
    })
  })

  it('of several conversations has a case each, and each once (trap 24)', () => {
    const other = { ...head, thread_id: 'a:b,c' }
    const file = exportConversations(
      [
        { head, events },
        { head: other, events },
        { head, events },
      ],
      { format: 'evalset', evalSetId: 'my set', name: 'Mine' },
    )
    const told = readEvalSet(JSON.parse(file.text))
    if ('fault' in told) throw new Error(told.fault)
    expect(told.set.evalCases.map(({ evalId }) => evalId)).toEqual([
      caseName('thread-1'),
      caseName('a:b,c'),
      `${caseName('thread-1')}_2`,
    ])
    expect(file.fileName).toBe('my_set.evalset.json')
    expect(told.set).toMatchObject({ evalSetId: 'my_set', name: 'Mine' })
    expect(exportConversations([], { format: 'legacy' }).text).toContain('"eval_cases": []')
  })

  it('of a case is named by the digest of its thread, of any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        const thread = text.toWellFormed()
        expect(caseName(thread)).toBe(`case${createHash('sha256').update(thread).digest('hex').slice(0, 12)}`)
      }),
    )
    for (const length of [0, 54, 55, 56, 57, 63, 64, 65, 119, 120, 1_000])
      expect(caseName('a'.repeat(length))).toBe(
        `case${createHash('sha256').update('a'.repeat(length)).digest('hex').slice(0, 12)}`,
      )
  })
})
