import { describe, expect, test } from 'vitest'
import { mappingOf, questionIn, understand } from '../src/index.ts'

const lines = (...events: object[]) => events.map((event) => `${JSON.stringify(event)}\n`).join('')
const blocks = (...events: object[]) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')

describe('an answer that was meant for somebody else', () => {
  test.each<[string, string, string]>([
    ['json', 'application/json', JSON.stringify({ response: 'Hello', metadata: { steps: ['quote'] } })],
    [
      'events',
      'application/x-ndjson',
      lines(
        { type: 'tool_call', data: { name: 'quote', args: {} } },
        { type: 'message_complete', data: { content: 'Hello' } },
      ),
    ],
    [
      'openai_chat',
      'text/event-stream',
      `${blocks(
        {
          object: 'chat.completion.chunk',
          choices: [
            { index: 0, delta: { tool_calls: [{ index: 0, id: 'c', function: { name: 'quote', arguments: '{}' } }] } },
          ],
        },
        { object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: 'Hello' } }] },
        { object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      )}data: [DONE]\n\n`,
    ],
    [
      'openai_responses',
      'application/json',
      JSON.stringify({
        object: 'response',
        id: 'r',
        status: 'completed',
        output: [
          { type: 'function_call', call_id: 'c', name: 'quote', arguments: '{}' },
          { type: 'message', content: [{ type: 'output_text', text: 'Hello' }] },
        ],
      }),
    ],
    [
      'ai_sdk',
      'text/event-stream',
      `${blocks(
        { type: 'start' },
        { type: 'tool-input-available', toolCallId: 'c', toolName: 'quote', input: {} },
        { type: 'text-start', id: 't' },
        { type: 'text-delta', id: 't', delta: 'Hello' },
        { type: 'text-end', id: 't' },
        { type: 'finish' },
      )}data: [DONE]\n\n`,
    ],
    [
      'ag_ui',
      'text/event-stream',
      blocks(
        { type: 'RUN_STARTED', threadId: 't', runId: 'r' },
        { type: 'TOOL_CALL_START', toolCallId: 'c', toolCallName: 'quote' },
        { type: 'TOOL_CALL_END', toolCallId: 'c' },
        { type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant' },
        { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'Hello' },
        { type: 'TEXT_MESSAGE_END', messageId: 'm' },
        { type: 'RUN_FINISHED', threadId: 't', runId: 'r' },
      ),
    ],
  ])('in %s is understood', (dialect, contentType, text) => {
    const understood = understand({ contentType, text })
    expect(understood).toMatchObject({ dialect, output: 'Hello', fault: null })
    expect(understood.toolCalls.map(({ name }) => name)).toEqual(['quote'])
  })

  test('in a shape of its own is understood with a mapping', async () => {
    const text = JSON.stringify({ deep: { said: 'Hello' } })
    const mapping = await mappingOf({ output: '$.deep.said' })
    expect(understand({ contentType: '', text, mapping })).toMatchObject({ output: 'Hello' })
  })

  test('that is none has a fault, and what had come until then', () => {
    const text = lines({ type: 'token', data: { token: 'Hel' } })
    expect(understand({ contentType: '', text })).toMatchObject({ output: 'Hel', fault: { code: 'cut_off' } })
    expect(understand({ contentType: 'text/html', text: '<p>' }).fault?.code).toBe('unreadable')
    expect(understand({ contentType: '', text: '' }).fault?.code).toBe('unreadable')
  })
})

describe('a question', () => {
  test.each<[string, unknown, object]>([
    ['the seed', { message: 'Hi', userId: 'u', context: { plan: 'pro' } }, { query: 'Hi', context: { plan: 'pro' } }],
    ['EvalView', { query: 'Hi', context: null }, { query: 'Hi', context: null }],
    [
      'a conversation',
      { message: 'Hi', session_id: 's', conversation_history: [{ role: 'user', content: 'Before' }] },
      { query: 'Hi', sessionId: 's', history: [{ role: 'user', content: 'Before' }] },
    ],
    [
      'OpenAI’s chat completions',
      {
        messages: [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'Before' },
          { role: 'assistant', content: 'Well.' },
          { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
        ],
      },
      {
        query: 'Hi',
        history: [
          { role: 'user', content: 'Before' },
          { role: 'assistant', content: 'Well.' },
        ],
      },
    ],
    ['OpenAI’s Responses', { input: 'Hi', previous_response_id: 'r' }, { query: 'Hi', sessionId: 'r' }],
    [
      'OpenAI’s Responses with messages',
      { input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }] },
      { query: 'Hi' },
    ],
    ['the AI SDK', { messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }] }, { query: 'Hi' }],
    ['AG-UI', { threadId: 't', messages: [{ id: '1', role: 'user', content: 'Hi' }] }, { query: 'Hi', sessionId: 't' }],
    ['a message of its own', { message: { role: 'user', content: 'Hi' } }, { query: 'Hi' }],
  ])('of %s is found', (_whose, body, found) => {
    expect(questionIn(body)).toMatchObject(found)
  })

  test.each([
    null,
    'Hi',
    [],
    {},
    { message: '' },
    { message: 7 },
    { messages: [] },
    { messages: [{ role: 'assistant', content: 'x' }] },
  ])('is not found in %j', (body) => {
    expect(questionIn(body)).toBeNull()
  })
})
