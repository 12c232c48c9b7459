import { AgentFailed } from '../fault.ts'
import type { TurnRecorder } from '../recorder.ts'
import { argumentsOf, errorText, record, textIn } from '../told.ts'
import { usageIn } from '../usage.ts'
import type { AgentEvent, Dialect } from './dialect.ts'

type Told = AgentEvent['told']

/** OpenAI's Responses, whole or as a stream. */
export const openaiResponses: Dialect = {
  name: 'openai_responses',
  event({ type, told }, recorder) {
    if (type === 'error' || type === 'response.failed') throw failed(told)
    if (type === 'response.output_text.delta' || type === 'response.refusal.delta')
      recorder.addText(textIn(told, ['delta']) ?? '')
    else if (type === 'response.output_item.added' || type === 'response.output_item.done')
      item(record(told['item']), recorder)
    else if (type === 'response.completed' || type === 'response.incomplete') whole(record(told['response']), recorder)
    else if (told['object'] === 'response') whole(told, recorder)
  },
}

function whole(response: Told | undefined, recorder: TurnRecorder): void {
  if (!response) return
  if (response['status'] === 'failed') throw failed(response)
  const output = Array.isArray(response['output']) ? response['output'].map(record) : []
  for (const one of output) item(one, recorder)
  const text = output.map(messageText).join('')
  if (text !== '') recorder.setText(text)
  recorder.captured.add('output').add('tools')
  recorder.model = textIn(response, ['model']) ?? recorder.model
  recorder.sessionId = textIn(response, ['id']) ?? recorder.sessionId
  const usage = usageIn(response['usage'])
  if (usage) recorder.replaceUsage(usage)
  const reason = textIn(record(response['incomplete_details']) ?? {}, ['reason'])
  if (reason !== undefined) recorder.warnings.add(`The answer is incomplete: ${reason}.`)
  recorder.complete = true
}

/** A call is told when it begins, when it is whole, and in the response at the end; it is one call all the same. */
function item(one: Told | undefined, recorder: TurnRecorder): void {
  const type = one?.['type']
  if (!one || typeof type !== 'string') return
  const id = textIn(one, ['call_id', 'id']) ?? null
  if (type === 'function_call_output') recorder.result({ id, result: argumentsOf(one['output']) })
  else if (type.endsWith('_call')) {
    const name = textIn(one, ['name']) ?? type.slice(0, -'_call'.length)
    if (!recorder.knows(id)) recorder.call({ id, name })
    const args = argumentsOf(one['arguments'] ?? one['action'] ?? one['queries'])
    if (args !== undefined && args !== '') recorder.setArguments(args, { id })
  }
}

function messageText(one: Told | undefined): string {
  if (one?.['type'] !== 'message' || !Array.isArray(one['content'])) return ''
  return one['content'].map((part) => textIn(record(part) ?? {}, ['text', 'refusal']) ?? '').join('')
}

function failed(told: Told): AgentFailed {
  const error = record(told['response'])?.['error'] ?? told['error'] ?? told
  return new AgentFailed({ code: 'agent_error', message: `The agent reported a failure: ${errorText(error)}` })
}
