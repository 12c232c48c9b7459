import { AgentFailed } from '../fault.ts'
import type { TurnRecorder } from '../recorder.ts'
import { argumentsOf, errorText, textIn } from '../told.ts'
import { usageIn } from '../usage.ts'
import type { AgentEvent, Dialect } from './dialect.ts'

type Handler = (told: AgentEvent['told'], recorder: TurnRecorder) => void

const callId = (told: AgentEvent['told']) => textIn(told, ['toolCallId']) ?? null

const handlers: Readonly<Record<string, Handler>> = {
  RUN_STARTED: (told, recorder) => {
    recorder.sessionId = textIn(told, ['threadId']) ?? recorder.sessionId
  },
  TEXT_MESSAGE_START: (_told, recorder) => recorder.captured.add('output'),
  TEXT_MESSAGE_CONTENT: text,
  TEXT_MESSAGE_CHUNK: text,
  TOOL_CALL_START: (told, recorder) => recorder.call({ id: callId(told), name: textIn(told, ['toolCallName']) }),
  TOOL_CALL_ARGS: (told, recorder) => recorder.addArguments(textIn(told, ['delta']) ?? '', { id: callId(told) }),
  TOOL_CALL_CHUNK: (told, recorder) => {
    const name = textIn(told, ['toolCallName'])
    if (name !== undefined && !recorder.knows(callId(told))) recorder.call({ id: callId(told), name })
    recorder.addArguments(textIn(told, ['delta']) ?? '', { id: callId(told) })
  },
  TOOL_CALL_RESULT: (told, recorder) =>
    recorder.result({ id: callId(told), result: argumentsOf(told['content']), error: textIn(told, ['error']) }),
  STEP_STARTED: (told, recorder) => recorder.note('status', textIn(told, ['stepName']) ?? ''),
  REASONING_MESSAGE_CONTENT: (told, recorder) => recorder.note('narration', textIn(told, ['delta']) ?? ''),
  CUSTOM: (told, recorder) => {
    const usage = told['name'] === 'usage' ? usageIn(told['value']) : null
    if (usage) recorder.usage(usage)
  },
  RUN_FINISHED: (_told, recorder) => {
    recorder.captured.add('output')
    recorder.complete = true
  },
  RUN_ERROR: (told) => {
    const message = `The agent reported a failure: ${errorText(told)}`
    throw new AgentFailed({ code: 'agent_error', message })
  },
}

/** AG-UI: the events that `HttpAgent` of `@ag-ui/client` reads. */
export const agUi: Dialect = {
  name: 'ag_ui',
  event({ type, told }, recorder) {
    recorder.captured.add('tools')
    if (Object.hasOwn(handlers, type)) handlers[type]?.(told, recorder)
  },
}

function text(told: AgentEvent['told'], recorder: TurnRecorder): void {
  recorder.addText(textIn(told, ['delta']) ?? '')
}
