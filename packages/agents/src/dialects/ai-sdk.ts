import { AgentFailed } from '../fault.ts'
import type { TurnRecorder } from '../recorder.ts'
import { argumentsOf, errorText, record, textIn } from '../told.ts'
import { usageIn } from '../usage.ts'
import type { AgentEvent, Dialect } from './dialect.ts'

type Told = AgentEvent['told']
type Handler = (told: Told, recorder: TurnRecorder) => void

const id = (told: Told) => textIn(told, ['toolCallId']) ?? null

const handlers: Readonly<Record<string, Handler>> = {
  start: metadata,
  'message-metadata': metadata,
  'text-delta': (told, recorder) => recorder.addText(textIn(told, ['delta', 'text']) ?? ''),
  'tool-input-start': (told, recorder) => recorder.call({ id: id(told), name: textIn(told, ['toolName']) }),
  'tool-input-delta': (told, recorder) =>
    recorder.addArguments(textIn(told, ['inputTextDelta']) ?? '', { id: id(told) }),
  'tool-input-available': (told, recorder) => {
    if (!recorder.knows(id(told))) recorder.call({ id: id(told), name: textIn(told, ['toolName']) })
    recorder.setArguments(told['input'] ?? {}, { id: id(told) })
  },
  'tool-output-available': (told, recorder) => {
    // What is preliminary is told again.
    if (told['preliminary'] !== true) recorder.result({ id: id(told), result: told['output'], succeeded: true })
  },
  'tool-output-error': (told, recorder) =>
    recorder.result({ id: id(told), error: errorText(told['errorText']), succeeded: false }),
  'reasoning-delta': (told, recorder) => recorder.note('narration', textIn(told, ['delta']) ?? ''),
  finish: (told, recorder) => {
    metadata(told, recorder)
    recorder.captured.add('output')
    recorder.complete = true
  },
  abort: () => {
    throw new AgentFailed({ code: 'cut_off', message: 'The agent gave its answer up.' })
  },
  error: (told) => {
    const message = `The agent reported a failure: ${errorText(told['errorText'] ?? told)}`
    throw new AgentFailed({ code: 'agent_error', message })
  },
}

/** The UI message stream of the Vercel AI SDK, from version 5 on. */
export const aiSdk: Dialect = {
  name: 'ai_sdk',
  event({ type, told }, recorder) {
    recorder.captured.add('tools')
    if (Object.hasOwn(handlers, type)) handlers[type]?.(told, recorder)
    else if (type.startsWith('data-')) recorder.note('status', JSON.stringify(told['data'] ?? null))
  },
}

function metadata(told: Told, recorder: TurnRecorder): void {
  const metadata = record(told['messageMetadata'])
  if (!metadata) return
  recorder.model = textIn(metadata, ['model', 'modelId']) ?? recorder.model
  const usage = usageIn(metadata['totalUsage'] ?? metadata['usage'] ?? metadata)
  if (usage) recorder.replaceUsage(usage)
}

/** The data stream of the Vercel AI SDK up to version 4: lines such as `0:"text"`. */
export function codedEvent(code: string, value: unknown): { type: string; told: Told } {
  const told = record(value) ?? {}
  switch (code) {
    case '0':
      return { type: 'text-delta', told: { delta: value } }
    case 'g':
      return { type: 'reasoning-delta', told: { delta: value } }
    case '3':
      return { type: 'error', told: { errorText: value } }
    case '9':
      return { type: 'tool-input-available', told: { ...told, input: argumentsOf(told['args']) } }
    case 'a':
      return { type: 'tool-output-available', told: { ...told, output: told['result'] } }
    case 'b':
      return { type: 'tool-input-start', told }
    case 'c':
      return { type: 'tool-input-delta', told: { ...told, inputTextDelta: told['argsTextDelta'] } }
    case 'd':
      return { type: 'finish', told: { messageMetadata: { usage: told['usage'] } } }
    default:
      return { type: `data-${code}`, told: { data: value } }
  }
}
