import { type ConversationEventInput, type ConversationEventKind, limits } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import { factsOf } from './facts.ts'

const place = { at: '2025-01-27T12:00:00.000Z', run_id: 'r1', invocation_id: 'e-1', event_id: null }

function facts(kind: ConversationEventKind, payload: object) {
  // Tests make payloads of each kind by hand.
  return factsOf({ ...place, kind, payload } as ConversationEventInput)
}

const adk = (fields: object) =>
  facts('adk_event', { id: 'x', invocationId: 'e-1', author: 'root', timestamp: 1, ...fields })
const text = (words: string, part: object = {}) => ({ content: { role: 'model', parts: [{ text: words, ...part }] } })
const call = { functionCall: { id: 'c', name: 'f', args: {} } }
const answer = { functionResponse: { id: 'c', name: 'f', response: {} } }
const usage = {
  promptTokenCount: 10,
  toolUsePromptTokenCount: 2,
  candidatesTokenCount: 5,
  thoughtsTokenCount: 3,
  cachedContentTokenCount: 4,
  totalTokenCount: 20,
}
const tokens = { input: 12, output: 8, thoughts: 3, cached: 4, total: 20 }

describe('the numbers of an event', () => {
  it('are those of a request that begins and ends', () => {
    expect(facts('run_start', { parent_run_id: null, target: null }).turning).toEqual({ kind: 'begins' })
    const end = (status: string) => facts('run_end', { status, code: 'E1', message: 'broken' })
    expect(end('finished')).toMatchObject({ turning: { kind: 'ends', state: 'finished' }, error: null })
    expect(end('failed')).toMatchObject({ turning: { kind: 'ends', state: 'failed' }, error: 'E1: broken' })
  })

  it('begin a turn with words of a user, of which the first are the title', () => {
    const asked = facts('user_message', { id: null, text: `  Hello\n\n ${'x'.repeat(200)}`, files: [], author: null })
    expect(asked.turn).toEqual({ key: 'r1' })
    expect(asked.title).toBe(`Hello ${'x'.repeat(94)}`)
    expect(facts('user_message', { text: ' ' }).title).toBeNull()
  })

  it('count what agents said once: deltas and their usage are told again by the whole (trap 1)', () => {
    expect(adk({ ...text('Hel'), partial: true, usageMetadata: usage })).toMatchObject({
      tokens: null,
      toolCalls: 0,
      agent: 'root',
    })
    expect(adk({ ...text('Hello'), usageMetadata: usage, modelVersion: 'gemini' })).toMatchObject({
      tokens,
      model: 'gemini',
      turning: { kind: 'tells', state: 'finished' },
    })
  })

  it('count calls that are told whole, however many are in one event (traps 2 and 4)', () => {
    const parts = { content: { parts: [call, { ...call, thoughtSignature: 'AA==' }, { text: 'and' }] } }
    expect(adk({ ...parts, partial: true }).toolCalls).toBe(0)
    expect(adk(parts)).toMatchObject({ toolCalls: 2, turning: { state: 'running' }, thinking: { thoughts: null } })
    expect(adk({ content: { role: 'user', parts: [answer] } })).toMatchObject({
      toolCalls: 0,
      turn: null,
      agent: 'root',
    })
  })

  it('take author user for a user, not role user, and results of long tools for no words (traps 5 and 13)', () => {
    expect(adk({ author: 'user', ...text('hi') })).toMatchObject({ turn: { key: 'r1' }, title: 'hi', agent: null })
    expect(adk({ author: 'user', content: { role: 'user', parts: [answer] } }).turn).toBeNull()
  })

  it('say what the thread does after it (traps 13, 14, 16 and 27)', () => {
    const state = (fields: object) => adk(fields).turning
    expect(state({ content: { parts: [call] }, longRunningToolIds: ['c'] })).toEqual({
      kind: 'tells',
      state: 'waiting',
    })
    expect(state({ content: { parts: [call] }, longRunningToolIds: [] })).toEqual({ kind: 'tells', state: 'running' })
    expect(state({ content: { parts: [answer] }, actions: { skipSummarization: true } })).toMatchObject({
      state: 'finished',
    })
    expect(adk({ errorCode: 'RESOURCE_EXHAUSTED', errorMessage: 'quota' })).toMatchObject({
      turning: { state: 'failed' },
      error: 'RESOURCE_EXHAUSTED: quota',
    })
    expect(state({ actions: { stateDelta: { a: 1 } } })).toMatchObject({ state: 'running' })
  })

  it('leave unknown what was not told', () => {
    expect(adk({ ...text('x'), usageMetadata: { promptTokenCount: 1, totalTokenCount: -5 } }).tokens).toEqual({
      input: 1,
      output: null,
      thoughts: null,
      cached: null,
      total: null,
    })
    expect(adk({ ...text('thought', { thought: true }), usageMetadata: usage }).thinking).toEqual({
      thoughts: 3,
      total: 20,
      model: null,
    })
    expect(adk(text('x')).thinking).toBeNull()
  })

  it('are read from AG-UI where that tells', () => {
    const agui = (type: string, fields: object = {}) => facts('agui_event', { type, ...fields })
    expect(agui('RUN_STARTED').turning).toEqual({ kind: 'begins' })
    expect(agui('RUN_FINISHED').turning).toEqual({ kind: 'ends', state: 'finished' })
    expect(agui('RUN_FINISHED', { outcome: { type: 'cancelled' } }).turning).toMatchObject({ state: 'cancelled' })
    expect(agui('RUN_FINISHED', { outcome: { type: 'interrupt' } }).turning).toMatchObject({ state: 'waiting' })
    const pending = { outcome: { type: 'success', pendingToolCallIds: ['c'] } }
    expect(agui('RUN_FINISHED', pending).turning).toMatchObject({ state: 'waiting' })
    expect(agui('RUN_ERROR', { message: 'no', code: 'X' })).toMatchObject({
      turning: { state: 'failed' },
      error: 'X: no',
    })
    expect(agui('TOOL_CALL_START', { toolCallId: 'c' }).toolCalls).toBe(1)
    expect(agui('TEXT_MESSAGE_START', { name: 'root' }).agent).toBe('root')
    expect(agui('TEXT_MESSAGE_START', { name: 'ann', role: 'user' }).agent).toBeNull()
    const used = {
      usage: [
        { model: 'm', inputTokens: 1, reasoningTokens: 2 },
        { inputTokens: 3, outputTokens: 4 },
      ],
    }
    expect(agui('RUN_FINISHED', used)).toMatchObject({
      tokens: { input: 4, output: 4, thoughts: 2, cached: null, total: null },
      model: 'm',
      thinking: { thoughts: 2, total: null, model: 'm' },
    })
    const counted = (inputTokens: number) => agui('RUN_FINISHED', { usage: [{ inputTokens }] }).tokens?.input
    expect([counted(limits.countMax), counted(limits.countMax + 1)]).toEqual([limits.countMax, null])
  })

  it.each([
    [{ content: 5 }],
    [{ content: { parts: 'no' } }],
    [{ content: { parts: [null, 5, 'x', []] } }],
    [{ author: 7, usageMetadata: [], modelVersion: {}, longRunningToolIds: 'c', actions: 3, errorCode: 404 }],
  ])('are none where nothing makes sense: %j', (fields) => {
    expect(adk(fields)).toMatchObject({ toolCalls: 0, error: null, model: null, turn: null })
    expect(facts('agui_event', { type: 5, ...fields })).toMatchObject({ toolCalls: 0, error: null })
  })
})
