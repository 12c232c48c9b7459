import type { AgentDialect } from '@llm-eval/protocol'
import { AgentFailed } from '../fault.ts'
import type { TurnRecorder } from '../recorder.ts'
import { excerpt } from '../send.ts'
import { argumentsOf, errorText, idIn, record, textIn, valueIn } from '../told.ts'
import { dollarsIn, type Usage, usageIn } from '../usage.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiResponses } from './openai-responses.ts'

type Told = Readonly<Record<string, unknown>>

/** The answer itself, by how often it is called so: EvalView's four names first, in its order. */
const answerNames = ['response', 'output', 'result', 'answer', 'message', 'content', 'text', 'reply', 'completion']
const stepNames = ['steps', 'tool_calls', 'toolCalls', 'tools_called', 'tools_used']
const sessionNames = ['session_id', 'sessionId', 'conversation_id', 'conversationId', 'thread_id', 'threadId']

/** Levels 1 and 2 of the seed: the whole answer in one JSON document, with or without metadata. OpenAI's are told apart here. */
export function readDocument(value: unknown, recorder: TurnRecorder): AgentDialect {
  const told = record(Array.isArray(value) && value.length === 1 ? value[0] : value)
  if (typeof value === 'string') recorder.setText(value)
  else if (!told) throw noAnswer(value)
  else if (Array.isArray(told['choices'])) openaiChat.event({ type: '', told, line: 1 }, recorder)
  else if (told['object'] === 'response') openaiResponses.event({ type: '', told, line: 1 }, recorder)
  else readAnswer(told, recorder)
  recorder.captured.delete('first_token')
  recorder.firstTokenMs = null
  recorder.complete = true
  if (told && Array.isArray(told['choices'])) return 'openai_chat'
  return told?.['object'] === 'response' ? 'openai_responses' : 'json'
}

function readAnswer(told: Told, recorder: TurnRecorder): void {
  const failure = failureIn(told)
  const answer = answerIn(failure === undefined ? told : { ...told, message: undefined, error: undefined })
  const metadata = record(told['metadata']) ?? record(told['meta']) ?? {}
  // What was measured is kept, though the answer may be missing.
  readSteps(told, metadata, recorder)
  readUsage(told, metadata, recorder)
  recorder.model =
    textIn(told, ['model', 'model_id', 'model_name']) ?? textIn(metadata, ['model', 'model_id']) ?? recorder.model
  const session = idIn(told, sessionNames) ?? idIn(metadata, sessionNames)
  if (session !== undefined) {
    recorder.sessionId = session
    recorder.captured.add('session')
  }
  if (answer !== undefined) recorder.setText(answer)
  if (failure !== undefined)
    throw new AgentFailed({ code: 'agent_error', message: `The agent reported a failure: ${errorText(failure)}` })
  if (answer === undefined) throw noAnswer(told)
}

/** What a document says of a failure, though it came with a status of success; undefined where it tells of none. */
function failureIn(told: Told): unknown {
  const { error } = told
  const isNone = error === undefined || error === null || error === false || error === ''
  const isEmpty = typeof error === 'object' && error !== null && Object.keys(error).length === 0
  if (!isNone && !isEmpty) return error
  const hasFailed = told['success'] === false || told['ok'] === false
  // Beside an answer it may be the status of what was asked about.
  const isStatus = told['status'] === 'error' && answerIn({ ...told, message: undefined }) === undefined
  return hasFailed || isStatus ? told : undefined
}

function answerIn(told: Told): string | undefined {
  for (const holder of [told, record(told['data'])]) {
    for (const name of holder ? answerNames : []) {
      const text = textOf(holder?.[name])
      if (text !== undefined) return text
    }
  }
  const messages = Array.isArray(told['messages']) ? told['messages'].map(record) : []
  const last = messages.findLast((one) => one?.['role'] === 'assistant' || one?.['type'] === 'ai')
  return last && textOf(last['content'])
}

/** Text that is meant as an answer: of a message the words, of any other object its JSON. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return partsText(value)
  const told = record(value)
  return told && (textIn(told, ['content', 'text']) ?? JSON.stringify(told))
}

function partsText(parts: readonly unknown[]): string {
  const texts = parts.map((part) => (typeof part === 'string' ? part : textIn(record(part) ?? {}, ['text', 'content'])))
  return texts.every((text) => text !== undefined) ? texts.join('') : JSON.stringify(parts)
}

function readSteps(told: Told, metadata: Told, recorder: TurnRecorder): void {
  const steps = [told, metadata].map((one) => valueIn(one, stepNames)).find((value) => Array.isArray(value))
  if (!Array.isArray(steps)) return
  recorder.captured.add('tools')
  for (const step of steps) readStep(step, recorder)
}

function readStep(step: unknown, recorder: TurnRecorder): void {
  if (typeof step === 'string') return recorder.call({ name: step })
  const one = record(step)
  if (!one) return
  const called = record(one['function']) ?? one
  const names = ['tool', 'tool_name', 'toolName', 'name', 'step_name', 'action']
  const args = valueIn(called, ['parameters', 'params', 'arguments', 'args', 'input', 'tool_input'])
  const id = idIn(one, ['id', 'tool_call_id', 'call_id']) ?? null
  recorder.call({ id, name: textIn(called, names) ?? textIn(one, names), args: argumentsOf(args) })
  const result = valueIn(one, ['output', 'result', 'observation', 'tool_output'])
  const error = one['error'] === undefined || one['error'] === null ? null : errorText(one['error'])
  const said = one['success'] ?? one['ok']
  if (result === undefined && error === null && typeof said !== 'boolean') return
  recorder.result({ id, result, error, succeeded: typeof said === 'boolean' ? said && error === null : null })
}

function readUsage(told: Told, metadata: Told, recorder: TurnRecorder): void {
  const usage = [told['usage'], told['tokens'], metadata['usage'], metadata['tokens'], metadata['token_usage']]
    .map(usageIn)
    .find((one) => one !== null)
  if (usage) recorder.usage(usage)
  const dollars = dollarsIn(told) ?? dollarsIn(metadata)
  if (dollars !== null) return recorder.cost(dollars)
  const steps = [told, metadata].map((one) => valueIn(one, stepNames)).find((value) => Array.isArray(value))
  const costs = (Array.isArray(steps) ? steps : []).map((step) => dollarsIn(record(step) ?? {}))
  // Where some steps say what they cost and others do not, the sum is unknown.
  if (costs.length > 0 && costs.every((cost) => cost !== null)) recorder.cost(costs.reduce((a, b) => a + b, 0))
  else if (!usage) readStepTokens(Array.isArray(steps) ? steps : [], recorder)
}

function readStepTokens(steps: readonly unknown[], recorder: TurnRecorder): void {
  const usages = steps.map((step) => usageIn(record(step)?.['tokens'] ?? record(step)?.['usage']))
  const whole = usages.filter((one): one is Usage => one !== null)
  if (whole.length > 0 && whole.length === usages.length) for (const one of whole) recorder.usage(one)
}

function noAnswer(value: unknown): AgentFailed {
  const told = record(value)
  const fields = told ? `Its fields are ${Object.keys(told).slice(0, 12).join(', ') || 'none'}.` : ''
  const message = `No answer was found in what the agent sent. ${fields} Put it under "response", or say where it is (response.output).`
  return new AgentFailed({ code: 'unreadable', message, excerpt: excerpt(JSON.stringify(value)) })
}
