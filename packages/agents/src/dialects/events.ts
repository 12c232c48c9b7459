import { AgentFailed } from '../fault.ts'
import type { CallTold, TurnRecorder } from '../recorder.ts'
import { argumentsOf, errorText, idIn, record, textIn, valueIn } from '../told.ts'
import { usageIn } from '../usage.ts'
import type { AgentEvent, Dialect } from './dialect.ts'

type Told = AgentEvent['told']
type Handler = (told: Told, recorder: TurnRecorder) => void

/** Names that two makers of the same event use. */
const toolName = ['name', 'tool', 'toolName', 'tool_name']
const toolId = ['id', 'call_id', 'callId', 'tool_call_id', 'toolCallId', 'tool_use_id']
const words = ['text', 'content', 'token', 'delta', 'message', 'response', 'output']

const handlers: Readonly<Record<string, Handler>> = {
  tool_call(told, recorder) {
    recorder.call(callIn(told))
    // One dialect of the seed's makers tells call and result at once.
    if (told['result'] !== undefined) tellResult(told, recorder)
  },
  tool_result: tellResult,
  step_narration(told, recorder) {
    recorder.narrate(textIn(told, ['text', 'content', 'message']) ?? '', textIn(told, toolName))
  },
  usage(told, recorder) {
    const usage = usageIn(told)
    if (usage) recorder.usage(usage)
    else recorder.warnings.add('A `usage` event held no tokens: give it `input_tokens` and `output_tokens`.')
  },
  status(told, recorder) {
    recorder.note('status', textIn(told, ['text', 'message', 'status', 'content']) ?? '')
  },
  token(told, recorder) {
    recorder.addText(textIn(told, words) ?? '')
  },
  final_message: finish,
  message_complete(told, recorder) {
    const metadata = record(told['metadata'])
    const usage = usageIn(told['usage'] ?? metadata?.['usage'] ?? metadata?.['tokens'])
    if (usage) recorder.usage(usage)
    finish(told, recorder)
  },
  error(told) {
    const message = `The agent reported a failure: ${errorText(told)}`
    throw new AgentFailed({ code: 'agent_error', message })
  },
}

const aliases: Readonly<Record<string, string>> = {
  tool_start: 'tool_call',
  tool_use: 'tool_call',
  tool_end: 'tool_result',
  tool_output: 'tool_result',
  thinking: 'status',
  start: 'status',
  step_start: 'status',
  step_complete: 'status',
  text_delta: 'token',
  text: 'token',
  delta: 'token',
  final: 'final_message',
  done: 'message_complete',
  complete: 'message_complete',
  end: 'message_complete',
}

/** Level 3 of the seed: `{"type": "tool_call", "data": {…}}`, one on each line or in each block of an event stream. */
export const events: Dialect = {
  name: 'events',
  event({ type, told }, recorder) {
    // A failure that is told without a type is one all the same.
    if (type === '' && told['error'] !== undefined && told['error'] !== null) handlers['error']?.(told, recorder)
    recorder.captured.add('tools')
    // The payload stands under `data`; some agents leave that out and write it beside the type.
    const data = record(told['data']) ?? (typeof told['data'] === 'string' ? { text: told['data'] } : told)
    const handler = Object.hasOwn(handlers, type) ? handlers[type] : handlers[aliases[type] ?? '']
    const model = textIn(data, ['model', 'model_id'])
    if (model !== undefined) recorder.model ??= model
    const session = idIn(data, ['session_id', 'sessionId', 'conversation_id', 'thread_id'])
    if (session !== undefined) recorder.sessionId = session
    if (handler) handler(type === 'error' && data['error'] === undefined ? { ...told, ...data } : data, recorder)
    else recorder.note('unknown', JSON.stringify(told))
  },
}

function callIn(told: Told): CallTold {
  const args = valueIn(told, ['args', 'arguments', 'parameters', 'params', 'input'])
  return { id: idIn(told, toolId), name: textIn(told, toolName), args: argumentsOf(args) ?? {} }
}

function tellResult(told: Told, recorder: TurnRecorder): void {
  const error = told['error'] === null || told['error'] === undefined ? null : errorText(told['error'])
  const succeeded = valueIn(told, ['success', 'ok', 'succeeded'])
  recorder.result({
    id: idIn(told, toolId),
    name: textIn(told, toolName),
    result: valueIn(told, ['result', 'output', 'content']),
    succeeded: typeof succeeded === 'boolean' ? succeeded && error === null : null,
    error,
  })
}

function finish(told: Told, recorder: TurnRecorder): void {
  const whole = textIn(told, ['content', 'text', 'response', 'output', 'message'])
  if (whole !== undefined && whole !== '') recorder.setText(whole)
  recorder.captured.add('output')
  recorder.complete = true
}
