import * as z from 'zod'
import type { RunAgentInput } from './input.ts'

const maybe = z.string().nullish()

const source = z.looseObject({ type: z.string(), value: z.string(), mimeType: maybe })

/** A part of a message: text, or a file (`binary` is the form of 0.0.4x). */
const part = z.union([
  z.looseObject({ type: z.literal('text'), text: z.string() }),
  z.looseObject({ type: z.enum(['image', 'audio', 'video', 'document']), source }),
  z.looseObject({
    type: z.literal('binary'),
    mimeType: z.string(),
    data: maybe,
    url: maybe,
    id: maybe,
    filename: maybe,
  }),
])

const messageBase = { id: z.string().min(1).max(1_000), name: maybe }

const toolCall = z.looseObject({
  id: z.string(),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
})

const message = z.discriminatedUnion('role', [
  z.looseObject({ ...messageBase, role: z.literal('user'), content: z.union([z.string(), z.array(part)]).nullish() }),
  z.looseObject({
    ...messageBase,
    role: z.literal('assistant'),
    content: z.unknown().optional(),
    toolCalls: z.array(toolCall).nullish(),
  }),
  z.looseObject({
    ...messageBase,
    role: z.literal('tool'),
    toolCallId: z.string(),
    content: z.union([z.string(), z.array(part)]).nullish(),
    error: maybe,
  }),
  z.looseObject({
    ...messageBase,
    role: z.enum(['developer', 'system', 'activity', 'reasoning']),
    content: z.unknown().optional(),
  }),
])

/**
 * What a front end asks an AG-UI agent, as a schema that describes it too. It accepts what `readRunAgentInput` does, and stands
 * apart for the sake of pages, which load no schemas.
 */
export const runAgentInputSchema: z.ZodType<RunAgentInput> = z.looseObject({
  threadId: z.string().min(1).max(1_000),
  runId: z.string().min(1).max(1_000),
  parentRunId: maybe,
  protocolVersion: maybe,
  state: z.unknown().optional(),
  messages: z.array(message),
  tools: z.array(z.unknown()).nullish(),
  context: z.array(z.looseObject({ description: z.string(), value: z.unknown().optional() })).nullish(),
  forwardedProps: z.unknown().optional(),
  resume: z.array(z.looseObject({ interruptId: z.string(), status: maybe, payload: z.unknown().optional() })).nullish(),
})
