import type { AgentToolCall, AgentTrace, Assertion, Expected, TestCase } from '@llm-eval/protocol'
import { argumentFaults } from './arguments.ts'
import { foldedName, sequenceKept, toolCategories } from './calls.ts'

/** What is held against the calls of a turn, or of the whole conversation. */
export interface ToolScene {
  calls: readonly AgentToolCall[]
  expected: Expected
  /** From 1; null for the whole conversation. */
  turn: number | null
  /** Whether the agent shows its tools, and their arguments. */
  shows: { tools: boolean; args: boolean }
}

/** What a case demands of the tools that are called, one by one. Against an agent that does not show them all is unknown. */
export function toolAssertions(scene: ToolScene): Assertion[] {
  const { expected, turn } = scene
  const all = [
    ...forbidden(scene),
    ...forbiddenOrders(scene),
    ...counted(scene),
    ...withArguments(scene),
    // Of a whole conversation these are weighed, unless they cannot be seen; within a turn what is expected must be.
    ...(turn === null && scene.shows.tools ? [] : [...called(scene), ...ordered(scene)]),
  ]
  if (scene.shows.tools) return all
  return all.map((one) => ({ ...one, outcome: 'unknown', actual: null, message: unseen(expected) }))
}

/** The share of the expected tools and categories that were called, with what was not. */
export function toolAccuracy({ calls, expected }: Pick<ToolScene, 'calls' | 'expected'>): {
  value: number
  detail: string
} {
  const names = new Set(calls.map(({ name }) => name))
  const missing = [
    ...expected.tools.filter((tool) => !names.has(tool)).map((tool) => missingTool(tool, names)),
    ...expected.tool_categories
      .filter((category) => !meets(category, names))
      .map((category) => `a tool for ${category}`),
  ]
  const wanted = expected.tools.length + expected.tool_categories.length
  const detail = missing.length === 0 ? 'All expected tools were called.' : `Not called: ${missing.join(', ')}.`
  return { value: (wanted - missing.length) / wanted, detail }
}

/** How far the calls keep to the expected order, with what came instead. */
export function sequenceScore({ calls, expected }: Pick<ToolScene, 'calls' | 'expected'>): {
  value: number
  detail: string
} {
  const names = calls.map(({ name }) => name)
  const { kept, share } = sequenceKept(names, expected.sequence, expected.sequence_mode)
  const detail = kept
    ? 'The tools were called in the expected order.'
    : `Expected ${expected.sequence.join(' → ')} (${expected.sequence_mode}), called were ${listed(names)}.`
  return { value: share, detail }
}

/** The tools that were called though they must not be. */
export function forbiddenCalled(calls: readonly AgentToolCall[], expected: Expected): string[] {
  const banned = new Set(expected.forbidden_tools.map(foldedName))
  return [...new Set(calls.map(({ name }) => name))].filter((name) => banned.has(foldedName(name)))
}

/** What a case says of forbidden tools, held against all that was seen of a conversation, whole or not. */
export function forbiddenAssertions({ expected, turns }: TestCase, { tool_calls: calls }: AgentTrace): Assertion[] {
  const ofTurns = turns.flatMap(({ expected: one }, index) =>
    one ? forbidden({ calls: calls.filter(({ turn }) => turn === index + 1), expected: one, turn: index + 1 }) : [],
  )
  return [...forbidden({ calls, expected, turn: null }), ...ofTurns]
}

function forbidden({ calls, expected, turn }: Pick<ToolScene, 'calls' | 'expected' | 'turn'>): Assertion[] {
  if (expected.forbidden_tools.length === 0) return []
  const hits = forbiddenCalled(calls, expected)
  return [
    {
      kind: 'tools.forbidden',
      turn,
      outcome: hits.length === 0 ? 'passed' : 'failed',
      expected: expected.forbidden_tools,
      actual: hits,
      message: hits.length === 0 ? 'No forbidden tool was called.' : `Called though forbidden: ${hits.join(', ')}.`,
    },
  ]
}

function forbiddenOrders({ calls, expected, turn }: ToolScene): Assertion[] {
  const names = calls.map(({ name }) => name)
  return expected.forbidden_sequences.map((sequence) => {
    const { kept } = sequenceKept(names, sequence, 'subsequence')
    const order = sequence.join(' → ')
    return {
      kind: 'tools.forbidden_sequence',
      turn,
      outcome: kept ? 'failed' : 'passed',
      expected: sequence,
      actual: names,
      message: kept ? `Called in a forbidden order: ${order}.` : `Nothing was called in the order ${order}.`,
    }
  })
}

function counted({ calls, expected, turn }: ToolScene): Assertion[] {
  return expected.calls.map(({ tool, min, max }) => {
    const count = calls.filter(({ name }) => name === tool).length
    const isRight = count >= (min ?? 0) && count <= (max ?? Number.POSITIVE_INFINITY)
    return {
      kind: 'tools.calls',
      turn,
      outcome: isRight ? 'passed' : 'failed',
      expected: { tool, min, max },
      actual: count,
      message: `${tool} was called ${times(count)}${isRight ? '' : `, not ${range(min, max)}`}.`,
    }
  })
}

function withArguments({ calls, expected, turn, shows }: ToolScene): Assertion[] {
  return expected.arguments.map((one) => {
    const same = calls.filter(({ name }) => name === one.tool)
    const kind = 'tools.arguments'
    const told = { kind, turn, expected: one.args, actual: same.map(({ args }) => args) }
    if (same.length === 0) return { ...told, outcome: 'failed', message: `${one.tool} was not called.` }
    if (!shows.args || same.every(({ args }) => args === null))
      return { ...told, outcome: 'unknown', message: `The agent does not show the arguments of ${one.tool}.` }
    // One call with them is enough; of the others the nearest is told.
    const [best] = same.map(({ args }) => argumentFaults(args, one)).sort((a, b) => a.length - b.length)
    const faults = best ?? []
    return faults.length === 0
      ? { ...told, outcome: 'passed', message: `${one.tool} was called with the expected arguments.` }
      : { ...told, outcome: 'failed', message: `Arguments of ${one.tool}: ${faults.join('; ')}.` }
  })
}

function called(scene: ToolScene): Assertion[] {
  const { expected, turn, calls } = scene
  if (expected.tools.length + expected.tool_categories.length === 0) return []
  const { value, detail } = toolAccuracy(scene)
  const wanted = [...expected.tools, ...expected.tool_categories]
  const actual = calls.map(({ name }) => name)
  return [
    {
      kind: 'tools.called',
      turn,
      outcome: value === 1 ? 'passed' : 'failed',
      expected: wanted,
      actual,
      message: detail,
    },
  ]
}

function ordered(scene: ToolScene): Assertion[] {
  const { expected, turn, calls } = scene
  if (expected.sequence.length === 0) return []
  const names = calls.map(({ name }) => name)
  const { kept } = sequenceKept(names, expected.sequence, expected.sequence_mode)
  const { detail } = sequenceScore(scene)
  const outcome = kept ? 'passed' : 'failed'
  return [{ kind: 'tools.sequence', turn, outcome, expected: expected.sequence, actual: names, message: detail }]
}

function meets(category: string, names: ReadonlySet<string>): boolean {
  const tools = (Object.hasOwn(toolCategories, category) ? toolCategories[category] : undefined) ?? [category]
  return tools.some((tool) => names.has(tool))
}

function missingTool(tool: string, names: ReadonlySet<string>): string {
  const near = [...names].find((name) => foldedName(name) === foldedName(tool))
  return near === undefined ? tool : `${tool} (but ${near} was: names must be the same)`
}

function unseen({ tools, sequence }: Expected): string {
  const about = tools.length > 0 || sequence.length > 0 ? 'the tools it calls' : 'its tools'
  return `The agent does not show ${about}: answer with steps, or stream tool_call events.`
}

function times(count: number): string {
  return count === 0 ? 'never' : count === 1 ? 'once' : `${count} times`
}

function range(min: number | null, max: number | null): string {
  if (min === max) return times(min ?? 0)
  if (max === null) return `at least ${times(min ?? 0)}`
  return min === null ? `at most ${times(max)}` : `${min} to ${max} times`
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(' → ')
}
