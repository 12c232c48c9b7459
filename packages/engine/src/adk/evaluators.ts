import { adkTrajectoryMatches } from '@llm-eval/protocol'
import * as z from 'zod'
import { evaluator, NoScore } from '../evaluator.ts'
import { byLength, referenceField, responseField, textOf } from '../text/comparison.ts'
import { threshold } from '../text/similarity.ts'
import { toolCallsOf } from '../tools/calls.ts'
import { callsField } from '../tools/tool-call-match.ts'
import { responseMatch } from './response-match.ts'
import { toolParameterMatch, toolTrajectory } from './tool-calls.ts'

const expectedField = {
  name: 'expected_tool_calls',
  type: 'array',
  description: 'The calls that were expected. None and no arguments are told apart, as ADK does.',
  required: true,
} as const

/** ADK's tool_trajectory_avg_score of a turn. */
export const adkToolTrajectory = evaluator({
  slug: 'tool-trajectory-avg-score',
  name: 'ADK tool trajectory',
  description:
    "Google ADK's `tool_trajectory_avg_score` of a turn: 1 when the calls are the expected ones (`EXACT`), are among the calls in their order (`IN_ORDER`), or in any (`ANY_ORDER`); else 0. Arguments are equal as in Python.",
  kind: 'code',
  category: 'tools',
  aliases: ['adk-tool-trajectory'],
  needs: ['tool_calls', 'expected_tool_calls'],
  input: [callsField, expectedField],
  output: [],
  config: z.strictObject({
    threshold: threshold(1),
    match_type: z.enum(adkTrajectoryMatches).default('EXACT').describe('How the calls must lie to the expected ones.'),
    ignore_args: z.boolean().default(false).describe('Names alone are compared.'),
  }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: {
    input: {
      tool_calls: [
        { name: 'search', args: { q: 'rain', days: 1 } },
        { name: 'answer', args: {} },
      ],
      expected_tool_calls: [{ name: 'search', args: { days: 1, q: 'rain' } }],
    },
    config: { match_type: 'IN_ORDER' },
    value: 1,
    passed: true,
  },
  runs: byLength('tool_calls', 'expected_tool_calls'),
  score(input, { config: { threshold: least, match_type: match, ignore_args: ignoreArgs } }) {
    const { actual, expected } = callsOf(input)
    const value = toolTrajectory(expected, actual, { match, ignoreArgs })
    return { value, passed: value >= least }
  },
})

/** ADK's tool_parameter_match of a turn. */
export const adkToolParameters = evaluator({
  slug: 'tool-parameter-match',
  name: 'ADK tool parameters',
  description:
    "Google ADK's `tool_parameter_match` of a turn: the share of expected arguments that the next call of the same name has, over all expected calls. Without any expected call it is skipped.",
  kind: 'code',
  category: 'tools',
  aliases: ['adk-tool-parameters'],
  needs: ['tool_calls', 'expected_tool_calls'],
  input: [callsField, expectedField],
  output: [],
  config: z.strictObject({ threshold: threshold(0.5) }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: {
    input: {
      tool_calls: [{ name: 'book', args: { city: 'Rome', rooms: 2 } }],
      expected_tool_calls: [{ name: 'book', args: { city: 'Rome', rooms: 1 } }],
    },
    value: 0.5,
    passed: true,
  },
  runs: byLength('tool_calls', 'expected_tool_calls'),
  score(input, { config: { threshold: least } }) {
    const { actual, expected } = callsOf(input)
    const value = toolParameterMatch(expected, actual)
    if (value === null) throw new NoScore('missing_evidence', 'No call of a tool is expected.')
    return { value, passed: value >= least }
  },
})

/** ADK's response_match_score of a turn. */
export const adkResponseMatch = evaluator({
  slug: 'response-match-score',
  name: 'ADK response match',
  description:
    "Google ADK's `response_match_score` of a turn: ROUGE-1, F-measure, of words by their stems (Porter's), in all scripts; equal to google-adk 2.13.",
  kind: 'code',
  category: 'text',
  aliases: ['adk-response-match'],
  needs: ['response', 'reference'],
  input: [responseField, referenceField],
  output: [],
  config: z.strictObject({ threshold: threshold(0.8) }),
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: {
    input: { response: 'It rains in Grenoble.', reference: 'It rained in Grenoble' },
    value: 1,
    passed: true,
  },
  runs: byLength('response', 'reference'),
  score({ response, reference }, { config: { threshold: least } }) {
    const value = responseMatch(textOf(reference), textOf(response))
    return { value, passed: value >= least }
  },
})

function callsOf(input: Readonly<Record<string, unknown>>) {
  return {
    actual: toolCallsOf(input['tool_calls'], 'tool_calls'),
    expected: toolCallsOf(input['expected_tool_calls'], 'expected_tool_calls'),
  }
}
