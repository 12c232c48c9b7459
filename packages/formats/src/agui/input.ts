import {
  anything,
  byKey,
  either,
  type Fault,
  faultsOf,
  filled,
  isOf,
  list,
  maybe,
  object,
  type Of,
  text,
} from './form.ts'

const source = object({ type: text, value: text, mimeType: maybe(text) })

const file = { source }

/** A part of a message: text, or a file (`binary` is the form of 0.0.4x). */
const part = byKey('type', {
  text: { text },
  image: file,
  audio: file,
  video: file,
  document: file,
  binary: { mimeType: text, data: maybe(text), url: maybe(text), id: maybe(text), filename: maybe(text) },
})

const id = filled(1_000)
const base = { id, name: maybe(text) }
const content = maybe(either(text, list(part)))
const other = { ...base, content: anything }

const toolCall = object({ id: text, function: object({ name: text, arguments: text }) })

const message = byKey('role', {
  user: { ...base, content },
  assistant: { ...other, toolCalls: maybe(list(toolCall)) },
  tool: { ...base, toolCallId: text, content, error: maybe(text) },
  developer: other,
  system: other,
  activity: other,
  reasoning: other,
})

const form = object({
  threadId: id,
  runId: id,
  parentRunId: maybe(text),
  protocolVersion: maybe(text),
  state: anything,
  messages: list(message),
  tools: maybe(list(anything)),
  context: maybe(list(object({ description: text, value: anything }))),
  forwardedProps: anything,
  resume: maybe(list(object({ interruptId: text, status: maybe(text), payload: anything }))),
})

/** What a front end asks an AG-UI agent: the whole thread, each time. */
export type RunAgentInput = Of<typeof form>
export type AguiMessage = RunAgentInput['messages'][number]
export type AguiContentPart = Of<typeof part>

/** Reads what a front end asks. `faults` say where and what is wrong with it. */
export function readRunAgentInput(json: unknown): { input: RunAgentInput } | { faults: Fault[] } {
  return isOf(form, json) ? { input: json } : { faults: faultsOf(form, json) }
}
