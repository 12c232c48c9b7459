import * as z from 'zod'
import { evaluator } from '../evaluator.ts'
import { byLength, shown } from '../text/comparison.ts'
import { toolCallsOf } from './calls.ts'
import { callsField } from './tool-call-match.ts'

/** Tools that an output tells of: an agent may name more than an output can hold. */
const mostShown = 100

const name = z.string().min(1).max(200)
const count = z.int().min(0)

/** How many tools were called. */
export const toolCallCount = evaluator({
  slug: 'tool-call-count',
  name: 'Tool call count',
  description:
    'How many calls were made, of the named tools or of all. Passes between `min` and `max`, where they are given.',
  kind: 'code',
  category: 'tools',
  needs: ['tool_calls'],
  input: [callsField],
  output: [
    {
      name: 'counts',
      type: 'object',
      description: 'Calls by the name of the tool, of the first 100 tools.',
      required: true,
    },
  ],
  config: z.strictObject({
    tools: z.array(name).min(1).max(1_000).optional().describe('Only calls of these count.'),
    min: count.optional().describe('Fewer do not pass.'),
    max: count.optional().describe('More do not pass.'),
  }),
  range: { min: 0, max: null },
  direction: null,
  example: {
    input: { tool_calls: ['search', 'search', 'answer'] },
    config: { tools: ['search'], max: 1 },
    value: 2,
    passed: false,
  },
  runs: byLength('tool_calls'),
  score(input, { config: { tools, min, max } }) {
    const counts = new Map<string, number>()
    let value = 0
    for (const call of toolCallsOf(input['tool_calls'], 'tool_calls')) {
      counts.set(call.name, (counts.get(call.name) ?? 0) + 1)
      if (tools === undefined || tools.includes(call.name)) value++
    }
    const bounded = min !== undefined || max !== undefined
    const passed = bounded ? value >= (min ?? 0) && value <= (max ?? Number.POSITIVE_INFINITY) : null
    const told = [...counts].slice(0, mostShown).map(([tool, calls]) => [shown(tool), calls])
    return { value, passed, output: { counts: Object.fromEntries(told) } }
  },
})

/** Whether no tool was called that must not be. */
export const forbiddenTools = evaluator({
  slug: 'forbidden-tools',
  name: 'Forbidden tools',
  description: '1 when none of the forbidden tools was called (and, with `allowed`, no other than those).',
  kind: 'code',
  category: 'tools',
  needs: ['tool_calls'],
  input: [callsField],
  output: [
    {
      name: 'called',
      type: 'array',
      description: 'The forbidden tools that were called, at most 100.',
      required: true,
    },
  ],
  config: z.strictObject({
    forbidden: z
      .array(name)
      .max(1_000)
      .default([])
      .describe('Tools that must not be called; `*` at the end takes all that begin so.'),
    allowed: z.array(name).min(1).max(1_000).optional().describe('The only tools that may be called; `*` likewise.'),
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: {
    input: { tool_calls: ['read_file', 'delete_file'] },
    config: { forbidden: ['delete_*'] },
    value: 0,
    passed: false,
  },
  runs: byLength('tool_calls'),
  score(input, { config: { forbidden, allowed } }) {
    const names = new Set(toolCallsOf(input['tool_calls'], 'tool_calls').map((call) => call.name))
    const called = [...names].filter(
      (tool) => fitsAny(tool, forbidden) || (allowed !== undefined && !fitsAny(tool, allowed)),
    )
    const passed = called.length === 0
    const explanation = passed ? null : `Called ${called.slice(0, 10).map(shown).join(', ')}.`
    return { value: passed ? 1 : 0, passed, explanation, output: { called: called.slice(0, mostShown).map(shown) } }
  },
})

function fitsAny(tool: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? tool.startsWith(pattern.slice(0, -1)) : tool === pattern))
}
