import { AgentFailed } from '../fault.ts'
import type { TurnRecorder } from '../recorder.ts'
import { errorText, idIn, record, textIn } from '../told.ts'
import { usageIn } from '../usage.ts'
import type { Dialect } from './dialect.ts'

type Told = Readonly<Record<string, unknown>>

/** OpenAI's chat completions, whole or as a stream of chunks, as many other servers speak them too. */
export const openaiChat: Dialect = {
  name: 'openai_chat',
  event({ told }, recorder) {
    if (told['error'] !== undefined && told['error'] !== null)
      throw new AgentFailed({
        code: 'agent_error',
        message: `The agent reported a failure: ${errorText(told['error'])}`,
      })
    const model = textIn(told, ['model'])
    if (model !== undefined) recorder.model = model
    const usage = usageIn(told['usage'])
    // Each chunk counts from the beginning.
    if (usage) recorder.replaceUsage(usage)
    const [choice] = Array.isArray(told['choices']) ? (told['choices'] as unknown[]) : []
    const one = record(choice)
    if (!one) return
    const said = record(one['delta']) ?? record(one['message'])
    if (said) say(said, recorder)
    if (typeof one['finish_reason'] === 'string') finish(one['finish_reason'], recorder)
  },
}

function say(said: Told, recorder: TurnRecorder): void {
  recorder.addText(textIn(said, ['content']) ?? partsText(said['content']) ?? textIn(said, ['refusal']) ?? '')
  const calls = Array.isArray(said['tool_calls']) ? (said['tool_calls'] as unknown[]) : []
  for (const entry of calls) {
    const call = record(entry)
    const { name, args } = functionOf(record(call?.['function']))
    const key = typeof call?.['index'] === 'number' ? `index ${call['index']}` : undefined
    const id = call ? (idIn(call, ['id']) ?? null) : null
    // Most tell name and id with the first piece of a call alone, and the others are found by its index; some tell them each time.
    const isKnown = recorder.knows(id ?? key ?? null)
    if (name !== undefined && name !== '' && !isKnown) recorder.call({ id, name, key })
    if (args !== undefined) recorder.addArguments(args, { id: key ?? id })
  }
}

function functionOf(told: Told | undefined): { name: string | undefined; args: string | undefined } {
  if (!told) return { name: undefined, args: undefined }
  const args = told['arguments']
  return {
    name: textIn(told, ['name']),
    args: typeof args === 'string' || args === undefined || args === null ? (args ?? undefined) : JSON.stringify(args),
  }
}

function partsText(content: unknown): string | undefined {
  if (!Array.isArray(content)) return undefined
  return content.map((part) => textIn(record(part) ?? {}, ['text']) ?? '').join('')
}

function finish(reason: string, recorder: TurnRecorder): void {
  recorder.complete = true
  recorder.captured.add('output')
  if (reason === 'length') recorder.warnings.add('The answer was cut at the model’s limit of tokens.')
  if (reason === 'content_filter') recorder.warnings.add('The answer was cut by a content filter.')
}
