import type { Field } from '@llm-eval/protocol'
import * as z from 'zod'
import { evaluator } from '../evaluator.ts'
import { byLength } from '../text/comparison.ts'
import { type ToolCall, toolCallsOf } from './calls.ts'
import { type ArgumentMatch, argumentMatches, isCall, paired, pairedInOrder } from './matching.ts'

export const callsField: Field = {
  name: 'tool_calls',
  type: 'array',
  description: 'The calls that were made: names, or objects with a name and arguments.',
  required: true,
}
const expectedField: Field = {
  name: 'expected_tool_calls',
  type: 'array',
  description: 'The calls that were expected. One without arguments is content with any.',
  required: true,
}

const matchConfig = {
  arguments: z
    .enum(argumentMatches)
    .default('full')
    .describe('Arguments must be the same, or hold the expected ones (`partial`), or say nothing (`ignore`).'),
  ignore: z
    .array(z.string().max(200))
    .max(100)
    .default([])
    .describe('Arguments that say nothing, such as ids and times.'),
}

const modes = ['strict', 'in_order', 'unordered', 'subset', 'superset'] as const

/** Whether an agent called the tools that it should. */
export const toolCallMatch = evaluator({
  slug: 'tool-call-match',
  name: 'Tool calls match',
  description:
    '1 when the calls are the expected ones: the same in the same order (`strict`), all of them in order with others between (`in_order`), the same in any order (`unordered`), none but expected ones (`subset`), or at least those (`superset`).',
  kind: 'code',
  category: 'tools',
  aliases: ['tool-calls', 'trajectory-match', 'tool-trajectory'],
  needs: ['tool_calls', 'expected_tool_calls'],
  input: [callsField, expectedField],
  output: [
    { name: 'matched', type: 'integer', description: 'Calls that were paired with an expected one.', required: true },
    { name: 'missing', type: 'integer', description: 'Expected calls that were not made.', required: true },
    { name: 'unexpected', type: 'integer', description: 'Calls that nobody expected.', required: true },
  ],
  config: z.strictObject({
    mode: z.enum(modes).default('strict').describe('How the two lists must agree.'),
    ...matchConfig,
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: {
    input: {
      tool_calls: [{ name: 'search', arguments: { q: 'rain' } }, 'answer'],
      expected_tool_calls: ['search', 'answer'],
    },
    value: 1,
    passed: true,
  },
  runs: byLength('tool_calls', 'expected_tool_calls'),
  score(input, { config }) {
    const actual = toolCallsOf(input['tool_calls'], 'tool_calls')
    const expected = toolCallsOf(input['expected_tool_calls'], 'expected_tool_calls')
    const ordered = config.mode === 'strict' || config.mode === 'in_order'
    const matched = ordered ? pairedInOrder(actual, expected, config) : paired(actual, expected, config)
    const output = { matched, missing: expected.length - matched, unexpected: actual.length - matched }
    const passed = agree({ actual, expected, config, output })
    return { value: passed ? 1 : 0, passed, output }
  },
})

interface Comparison {
  actual: readonly ToolCall[]
  expected: readonly ToolCall[]
  config: ArgumentMatch & { mode: (typeof modes)[number] }
  output: { missing: number; unexpected: number }
}

function agree({ actual, expected, config, output }: Comparison): boolean {
  switch (config.mode) {
    case 'strict':
      return (
        actual.length === expected.length &&
        expected.every((wanted, place) => {
          const call = actual[place]
          return call !== undefined && isCall(call, wanted, config)
        })
      )
    case 'in_order':
    case 'superset':
      return output.missing === 0
    case 'unordered':
      return output.missing === 0 && output.unexpected === 0
    case 'subset':
      return output.unexpected === 0
  }
}

/** How many of the calls were right, and how many of the right ones were made. */
export const toolCallF1 = evaluator({
  slug: 'tool-call-f1',
  name: 'Tool call F1',
  description:
    'Harmonic mean of the share of calls that were expected and the share of expected calls that were made; the order says nothing.',
  kind: 'code',
  category: 'tools',
  aliases: ['tool-call-accuracy'],
  needs: ['tool_calls', 'expected_tool_calls'],
  input: [callsField, expectedField],
  output: [
    { name: 'precision', type: 'number', description: 'Share of the calls that were expected.', required: true },
    { name: 'recall', type: 'number', description: 'Share of the expected calls that were made.', required: true },
    { name: 'f1', type: 'number', description: 'Harmonic mean of both.', required: true },
  ],
  config: z.strictObject({
    threshold: z.number().min(0).max(1).default(0.8).describe('Values from here on pass.'),
    measure: z.enum(['f1', 'precision', 'recall']).default('f1').describe('Which of the three is the value.'),
    ...matchConfig,
    arguments: matchConfig.arguments
      .unwrap()
      .default('ignore')
      .describe('As elsewhere; here the names alone count by default.'),
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: {
    input: { tool_calls: ['search', 'search', 'answer'], expected_tool_calls: ['answer'] },
    value: 0.5,
    passed: false,
  },
  runs: byLength('tool_calls', 'expected_tool_calls'),
  score(input, { config }) {
    const actual = toolCallsOf(input['tool_calls'], 'tool_calls')
    const expected = toolCallsOf(input['expected_tool_calls'], 'expected_tool_calls')
    const matched = paired(actual, expected, config)
    const none = actual.length === 0 && expected.length === 0 ? 1 : 0
    const precision = actual.length === 0 ? none : matched / actual.length
    const recall = expected.length === 0 ? none : matched / expected.length
    const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall)
    const output = { precision, recall, f1 }
    const value = output[config.measure]
    return { value, passed: value >= config.threshold, output }
  },
})
