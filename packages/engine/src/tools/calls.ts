import * as z from 'zod'
import { NoScore } from '../evaluator.ts'

/** A call of a tool, however it was written down. */
export interface ToolCall {
  name: string
  /** Null where the call does not say. */
  args: Record<string, unknown> | null
}

/** Calls that are compared at most. */
const most = 1_000

const named = z.object({ name: z.string().min(1) })
const nested = z.object({ function: named })
const otherwise = z.object({ tool_name: z.string().min(1) })
const tool = z.object({ tool: z.string().min(1) })
const camel = z.object({ toolName: z.string().min(1) })
/** Names under which arguments are known: ours, OpenAI's, LangChain's, ADK's, Anthropic's, Vercel's. */
const argumentNames = [
  'arguments',
  'parameters',
  'args',
  'input',
  'tool_input',
  'input_parameters',
  'params',
  'kwargs',
] as const

/**
 * Reads tool calls as different clients write them: a name alone, `{name, arguments}`, `{name, args}`, `{tool, input}`,
 * `{function: {name, arguments}}` with the arguments as an object or as JSON.
 *
 * @throws {NoScore} `missing_evidence` for what is no tool call, `too_large`
 */
export function toolCallsOf(value: unknown, field: string): ToolCall[] {
  const items: unknown[] = Array.isArray(value) ? value : []
  if (items.length > most) throw new NoScore('too_large', `${field} may hold at most ${most} calls.`)
  return items.map((item, place) => {
    const call = callOf(item)
    if (call === undefined) throw new NoScore('missing_evidence', `${field}[${place}] is no tool call: it has no name.`)
    return call
  })
}

function callOf(item: unknown): ToolCall | undefined {
  if (typeof item === 'string') return item === '' ? undefined : { name: item, args: null }
  const inner = nested.safeParse(item)
  if (inner.success) return callOf(z.object({ function: z.unknown() }).parse(item).function)
  const name =
    named.safeParse(item).data?.name ??
    otherwise.safeParse(item).data?.tool_name ??
    camel.safeParse(item).data?.toolName ??
    tool.safeParse(item).data?.tool
  return name === undefined ? undefined : { name, args: argumentsOf(item) }
}

function argumentsOf(item: unknown): Record<string, unknown> | null {
  const members = z.record(z.string(), z.unknown()).safeParse(item).data ?? {}
  const name = argumentNames.find((candidate) => members[candidate] !== undefined && members[candidate] !== null)
  if (name === undefined) return null
  const given = members[name]
  const object = z.record(z.string(), z.unknown()).safeParse(typeof given === 'string' ? parsed(given) : given)
  // What is no object still tells calls apart.
  return object.success ? object.data : { '': given }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
