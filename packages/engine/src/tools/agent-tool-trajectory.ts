import * as z from 'zod'
import { evaluator } from '../evaluator.ts'
import { byLength } from '../text/comparison.ts'
import { toolCallsOf } from './calls.ts'
import { paired, pairedInOrder } from './matching.ts'

/** How much of the expected trajectory of tool calls an agent went. */
export const agentToolTrajectory = evaluator({
  slug: 'agent-tool-trajectory',
  name: 'Agent tool trajectory',
  description:
    'Share of the expected tool calls that were made. Sensitive to mismatches, calls beyond the expected ones count against it.',
  kind: 'code',
  category: 'tools',
  needs: ['tool_calls', 'expected_tool_calls'],
  input: [
    { name: 'executed_tool_calls', type: 'array', description: 'The calls that were made.', required: true },
    { name: 'expected_tool_calls', type: 'array', description: 'The calls that were expected.', required: true },
  ],
  output: [
    { name: 'score', type: 'number', description: 'The share.', required: true },
    { name: 'reason', type: 'string', description: 'What was counted.', required: true },
    { name: 'success', type: 'boolean', description: 'Whether the share reaches the threshold.', required: true },
  ],
  config: z.strictObject({
    threshold: z.number().min(0).max(1).default(0.5).describe('Values from here on pass.'),
    mismatch_sensitive: z.boolean().default(false).describe('Calls beyond the expected ones count against it.'),
    order_sensitive: z.boolean().default(false).describe('The calls must be in the expected order.'),
    input_params_sensitive: z.boolean().default(true).describe('Arguments must be the expected ones.'),
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: {
    input: {
      executed_tool_calls: [{ name: 'search', args: { q: 'rain' } }, { name: 'answer' }],
      expected_tool_calls: [{ name: 'search', args: { q: 'rain' } }, { name: 'mail' }],
    },
    value: 0.5,
    passed: true,
  },
  runs: byLength('executed_tool_calls', 'expected_tool_calls'),
  score(input, { config }) {
    const actual = toolCallsOf(input['executed_tool_calls'], 'executed_tool_calls')
    const expected = toolCallsOf(input['expected_tool_calls'], 'expected_tool_calls')
    const match = { arguments: config.input_params_sensitive ? ('full' as const) : ('ignore' as const), ignore: [] }
    const matched = (config.order_sensitive ? pairedInOrder : paired)(actual, expected, match)
    const size = config.mismatch_sensitive ? Math.max(actual.length, expected.length) : expected.length
    const score = size === 0 ? 1 : matched / size
    const success = score >= config.threshold
    const reason = `${matched} of ${expected.length} expected calls were made, in ${actual.length} calls.`
    return { value: score, passed: success, explanation: reason, output: { score, reason, success } }
  },
})
