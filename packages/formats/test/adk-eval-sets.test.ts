import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type EvalSet,
  type Invocation,
  readEvalConfig,
  readEvalResult,
  readEvalSet,
  toEvalCase,
  toEvalSet,
  writeEvalCase,
  writeEvalConfig,
  writeEvalResult,
  writeEvalSet,
} from '../src/adk/index.ts'
import { evalSet, invocation } from './eval-sets-arbitrary.ts'
import { jsonOf } from './generated-json.ts'

function recorded(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`fixtures/adk/${name}`, import.meta.url), 'utf8'))
}

function read(json: unknown) {
  const told = readEvalSet(json)
  if ('fault' in told) throw new Error(told.fault)
  return told
}

/** A set that is read without loss. */
function clean(json: unknown): EvalSet {
  const { set, lost } = read(json)
  expect(lost).toEqual([])
  return set
}

/** JSON with its keys in camel case, where they are ADK's own. */
function camel(value: unknown): unknown {
  const opaque = [
    'args',
    'response',
    'state',
    'final_session_state',
    'part_metadata',
    'tool_declarations',
    'user_persona',
    'agent_details',
  ]
  if (Array.isArray(value)) return value.map(camel)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      opaque.includes(key) ? member : camel(member),
    ]),
  )
}

const turn = { user_content: { parts: [{ text: 'hi' }], role: 'user' } }
const bare = { eval_id: 'one', conversation: [turn] }

describe('an eval set', () => {
  it('that is written and read is the same, whatever is in it', () => {
    fc.assert(
      fc.property(evalSet, (set) => {
        const { json, lost } = writeEvalSet(set)
        expect(lost).toEqual([])
        const text = JSON.stringify(json)
        expect(clean(JSON.parse(text))).toEqual(set)
        expect(clean(camel(JSON.parse(text)))).toEqual(set)
        expect(clean(text)).toEqual(set)
      }),
      { numRuns: 100 },
    )
  })

  it('of the older flavour has what agents did by kinds, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(invocation, { maxLength: 2 }), (conversation) => {
        const set = { evalSetId: 's', evalCases: [{ evalId: 'c', conversation }] }
        const { json } = writeEvalSet(set, { flavour: 'legacy' })
        const [one] = clean(JSON.parse(JSON.stringify(json))).evalCases
        for (const [index, { intermediateData }] of (one?.conversation ?? []).entries()) {
          expect(Object.keys(intermediateData ?? {})).not.toContain('invocationEvents')
          expect(callsOf(one?.conversation?.[index])).toEqual(callsOf(conversation[index]))
        }
        const again = writeEvalSet(clean(json), { flavour: 'legacy' })
        expect(again).toEqual({ json, lost: [] })
      }),
    )
  })

  it('of the older flavour tells what it has no place for', () => {
    const events = [
      {
        author: 'a',
        content: { parts: [{ functionCall: { name: 'f' }, thoughtSignature: 'CrQC' }, { text: 'hm' }] },
        usageMetadata: { totalTokenCount: 1 },
      },
    ]
    const conversation: Invocation[] = [
      { invocationId: 'e', userContent: { parts: [] }, intermediateData: { invocationEvents: events }, duration: 1 },
    ]
    const { json, lost } = writeEvalSet(
      { evalSetId: 's', evalCases: [{ evalId: 'c', conversation }] },
      { flavour: 'legacy' },
    )
    expect(lost).toEqual([
      'eval_cases[0].conversation[0] has durations, which older versions do not know',
      'eval_cases[0].conversation[0] has usage, which older versions do not know',
      'eval_cases[0].conversation[0] has thought signatures of calls, which have no place here',
    ])
    expect(json).toMatchObject({
      eval_cases: [
        {
          conversation: [
            {
              intermediate_data: {
                tool_uses: [{ name: 'f' }],
                tool_responses: [],
                intermediate_responses: [['a', [{ text: 'hm' }]]],
              },
            },
          ],
        },
      ],
    })
  })

  it('has no key that ADK does not know: it would refuse a part, or silently forget all calls of a turn (trap 25)', () => {
    const parts = [{ text: 'a', uiIndex: 3, function_call: { name: 'f', args: 'no object', extra: 1 } }]
    const events = [{ author: 'a', invocation_index: 1, content: { parts, extra: 1 } }]
    const { set, lost } = read({
      ...bare,
      mine: 1,
      conversation: [{ ...turn, intermediate_data: { invocation_events: events } }],
    })
    expect(lost).toHaveLength(6)
    const { json } = writeEvalSet(set)
    const written = {
      author: 'a',
      content: { parts: [{ text: 'a', function_call: { args: { value: 'no object' }, name: 'f' } }] },
    }
    expect(json).toMatchObject({
      eval_cases: [{ conversation: [{ intermediate_data: { invocation_events: [written] } }] }],
    })
    const text = JSON.stringify(json)
    for (const key of ['uiIndex', 'ui_index', 'invocation_index', 'extra', 'mine']) expect(text).not.toContain(key)
    // Kept where an event is read, but not where a file is written.
    const newer = { invocationId: 'e', userContent: { parts: [{ text: 'a', someNewKey: 1 }] } }
    expect(writeEvalSet({ evalSetId: 's', evalCases: [{ evalId: 'c', conversation: [newer] }] }).lost).toEqual([
      'evalCases[0].conversation[0].userContent.parts[0].someNewKey is not known to the format and left out',
    ])
  })

  it('is refused with the places of all that is wrong', () => {
    const fault = (json: unknown) => {
      const told = readEvalSet(json)
      return 'fault' in told ? told.fault : 'none'
    }
    expect(
      fault({
        eval_set_id: 's',
        eval_cases: [{ conversation: [{}] }, { eval_id: 'c', conversation: [{ user_content: null }] }],
      }),
    ).toBe(
      'eval_cases[0].conversation[0].user_content is missing; eval_cases[0].eval_id is missing; eval_cases[1].conversation[0].user_content is missing',
    )
    expect(fault({ eval_set_id: 's', eval_cases: [{ eval_id: 'c' }] })).toBe(
      'eval_cases[0] (c) has neither a conversation nor a scenario',
    )
    expect(fault({ ...bare, conversation_scenario: { starting_prompt: 'a', conversation_plan: 'b' } })).toBe(
      'eval_cases[0] (one) has both a conversation and a scenario',
    )
    for (const json of [null, 1, 'x', {}, { eval_cases: 1 }, '"']) expect(fault(json)).not.toBe('none')
  })

  it('without an id gets one, and that is told: ADK would not load it', () => {
    const json = { eval_cases: [bare] }
    expect(read(json).lost).toEqual(['eval_set_id is missing, without which ADK does not load it: it is now evalset'])
    expect(readEvalSet(json, { evalSetId: 'mine' })).toMatchObject({ set: { evalSetId: 'mine' }, form: 'evalset' })
  })

  it('is read from any JSON without throwing', () => {
    const json = jsonOf(
      'eval_cases',
      'eval_set_id',
      'eval_id',
      'conversation',
      'user_content',
      'parts',
      'data',
      'query',
      'intermediate_data',
      'invocation_events',
      'intermediate_responses',
      '__proto__',
    )
    fc.assert(
      fc.property(json, (value) => {
        for (const reading of [readEvalSet, readEvalResult, readEvalConfig]) expect(() => reading(value)).not.toThrow()
      }),
      { numRuns: 500 },
    )
  })
})

function callsOf(invocation: Invocation | undefined): unknown[] {
  const data = invocation?.intermediateData
  if (!data) return []
  if (!('invocationEvents' in data)) return data.toolUses
  return data.invocationEvents.flatMap(({ content }) =>
    (content?.parts ?? []).flatMap((part) => part.functionCall ?? []),
  )
}

describe("eval files of ADK's versions", () => {
  it('has the bare case of the seed, which comes back with all it says', () => {
    // The seed prints the beginning of its signature only, which is told; here is one that is whole.
    const printed = JSON.stringify(recorded('eval-reference.json'))
    expect(read(JSON.parse(printed)).lost).toEqual([
      'conversation[0].intermediate_data.invocation_events[0].content.parts[0].thought_signature is no base64',
    ])
    const json: unknown = JSON.parse(printed.replace('CrQCAd...', 'CrQCAdHtim_2-A=='))
    const { set, form, lost } = read(json)
    expect({ form, lost }).toEqual({ form: 'evalcase', lost: [] })
    const [one] = set.evalCases
    expect(one && writeEvalCase(one)).toEqual({ json, lost: [] })
    expect(writeEvalSet(set).json).toEqual({ eval_set_id: 'evalset', eval_cases: [json] })
  })

  it('has files with explicit nulls, and turns of which only the user is known', () => {
    const json = {
      eval_set_id: 'elicitation',
      name: null,
      description: null,
      eval_cases: [
        {
          eval_id: 'a',
          conversation: [
            {
              invocation_id: 'i',
              user_content: {
                parts: [{ video_metadata: null, thought: null, text: 'roll', inline_data: null }],
                role: 'user',
              },
              final_response: { parts: [{ text: null }], role: null },
              intermediate_data: {
                tool_uses: [{ id: null, args: { sides: 6 }, name: 'roll_die' }],
                intermediate_responses: [['sub', [{ text: 'rolling' }]]],
              },
              creation_timestamp: 1747341706.6240807,
            },
            { user_content: { parts: [{ text: 'again' }] } },
          ],
          session_input: { app_name: 'hello_world', user_id: 'user', state: {} },
          creation_timestamp: 0.0,
        },
      ],
    }
    const { evalCases } = clean(json)
    expect(evalCases[0]?.conversation).toEqual([
      {
        invocationId: 'i',
        userContent: { parts: [{ text: 'roll' }], role: 'user' },
        finalResponse: { parts: [{}] },
        intermediateData: {
          toolUses: [{ args: { sides: 6 }, name: 'roll_die' }],
          toolResponses: [],
          intermediateResponses: [['sub', [{ text: 'rolling' }]]],
        },
        creationTimestamp: 1747341706.6240807,
      },
      { invocationId: '', userContent: { parts: [{ text: 'again' }] } },
    ])
    expect(evalCases[0]?.sessionInput).toEqual({ appName: 'hello_world', userId: 'user' })
  })

  it('has scenarios with personas', () => {
    const scenario = { starting_prompt: 'Book a flight.', conversation_plan: 'Then a car.', user_persona: 'NOVICE' }
    const set = clean({ eval_set_id: 's', eval_cases: [{ eval_id: 'c', conversation_scenario: scenario }] })
    expect(set.evalCases[0]?.conversationScenario).toEqual({
      startingPrompt: 'Book a flight.',
      conversationPlan: 'Then a car.',
      userPersona: 'NOVICE',
    })
  })

  it('has the list of the first versions', () => {
    const json = [
      {
        name: 'roll_twice',
        data: [
          {
            query: 'Roll a 17 sided die twice.',
            expected_tool_use: [{ tool_name: 'roll_die', tool_input: { sides: 17, userId: 1 } }],
            expected_intermediate_agent_responses: [{ author: 'sub', text: 'rolling' }],
            reference: 'I rolled 13 and 4.',
          },
          { query: 'Thanks.', expected_tool_use: [] },
        ],
        initial_session: { state: { lucky_number: 7 }, app_name: 'hello_world', user_id: 'user' },
      },
      { name: 'empty', data: [], initial_session: {} },
    ]
    const { set, form, lost } = read(json)
    expect({ form, lost }).toEqual({ form: 'list', lost: [] })
    expect(set).toEqual({
      evalSetId: 'evalset',
      name: 'evalset',
      evalCases: [
        {
          evalId: 'roll_twice',
          conversation: [
            {
              invocationId: 'roll_twice-1',
              userContent: { role: 'user', parts: [{ text: 'Roll a 17 sided die twice.' }] },
              finalResponse: { role: 'model', parts: [{ text: 'I rolled 13 and 4.' }] },
              intermediateData: {
                toolUses: [{ name: 'roll_die', args: { sides: 17, userId: 1 } }],
                toolResponses: [],
                intermediateResponses: [['sub', [{ text: 'rolling' }]]],
              },
            },
            {
              invocationId: 'roll_twice-2',
              userContent: { role: 'user', parts: [{ text: 'Thanks.' }] },
              finalResponse: { role: 'model', parts: [{ text: '' }] },
              intermediateData: { toolUses: [], toolResponses: [], intermediateResponses: [] },
            },
          ],
          sessionInput: { appName: 'hello_world', userId: 'user', state: { lucky_number: 7 } },
        },
        { evalId: 'empty', conversation: [] },
      ],
    })
  })

  it('has the still older list of turns alone', () => {
    const json = [
      {
        query: 'Turn off device_2.',
        expected_tool_use: [{ tool_name: 'set_device', tool_input: { id: 'device_2' } }],
        reference: 'Done.',
      },
    ]
    const { set } = read(json)
    expect(set.evalCases).toHaveLength(1)
    expect(set.evalCases[0]).toMatchObject({ evalId: 'case_1', conversation: [{ invocationId: 'case_1-1' }] })
  })
})

describe('a set of cases', () => {
  it('has ids that ADK finds again, each once (trap 24)', () => {
    const one = (evalId: string) => toEvalCase([], { evalId, appName: 'a', userId: 'u' })
    const { set, warnings } = toEvalSet([one('a:b,c'), one('x'), one('x'), { ...one('x'), evalId: 'x y' }, one('')], {
      evalSetId: 'my set:1',
    })
    expect(set.evalSetId).toBe('my_set_1')
    expect(set.evalCases.map(({ evalId }) => evalId)).toEqual(['a_b_c', 'x', 'x_2', 'x_y', '_'])
    expect(warnings).toEqual([
      'x is now x_2: ids are unique, of letters, digits and _',
      'x y is now x_y: ids are unique, of letters, digits and _',
    ])
  })

  it('stays readable and quick with very many of one id', () => {
    const cases = Array.from({ length: 5_000 }, () => toEvalCase([], { evalId: 'x', appName: 'a', userId: 'u' }))
    const { set } = toEvalSet(cases, { evalSetId: 's' })
    expect(new Set(set.evalCases.map(({ evalId }) => evalId)).size).toBe(5_000)
  })
})

describe('a result of adk eval', () => {
  it('that ADK wrote is read, and written again as ADK reads it', () => {
    const json = recorded('both.evalset_result.json')
    const told = readEvalResult(json)
    if ('fault' in told) throw new Error(told.fault)
    const { result, lost } = told
    expect(lost).toEqual([])
    const [one] = result.evalCaseResults
    expect(one).toMatchObject({ finalEvalStatus: 'passed', sessionDetails: { appName: 'demo' } })
    expect(
      one?.overallEvalMetricResults.map(({ metricName, score, evalStatus }) => [metricName, score, evalStatus]),
    ).toEqual([
      ['tool_trajectory_avg_score', 1, 'passed'],
      ['response_match_score', 1, 'passed'],
      ['tool_call_count_v1', 2, 'informational'],
      ['inference_call_count_v1', 2, 'informational'],
      ['token_usage_v1', 44, 'informational'],
      ['invocation_duration_v1', 0.417, 'informational'],
    ])
    const written = writeEvalResult(result)
    expect(written.lost).toEqual([])
    expect(readEvalResult(written.json)).toEqual({ result, lost: [] })
    expect(withoutNothing(written.json)).toEqual(withoutNothing(json))
  })

  it('that is the text of JSON inside of JSON is read all the same (trap 26)', () => {
    const json = recorded('both.evalset_result.json')
    expect(readEvalResult(JSON.stringify(json))).toEqual(readEvalResult(json))
  })

  it('without what it needs is refused with its places', () => {
    expect(readEvalResult({ eval_set_id: 's', eval_case_results: [{ session_id: 'x' }] })).toEqual({
      fault: 'eval_case_results[0].final_eval_status is missing; eval_set_result_id is missing',
    })
  })
})

/** JSON without nulls and what is empty: ADK writes them where they are not set. */
function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNothing)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([key, member]) => [key, withoutNothing(member)] as const)
  return Object.fromEntries(
    members.filter(
      ([, member]) => member !== null && !(typeof member === 'object' && Object.keys(member).length === 0),
    ),
  )
}

describe('a configuration of adk eval', () => {
  it('is read in either casing, with thresholds and criteria', () => {
    const config = {
      criteria: {
        tool_trajectory_avg_score: { threshold: 1, match_type: 'in-order', ignoreArgs: true },
        response_match_score: 0.8,
        exact: { threshold: 1, matchType: 2 },
        final_response_match_v2: { threshold: 0.5, judge_model_options: { judge_model: 'm', num_samples: 3 } },
        mine: { threshold: 0.2, myOwn_key: { a_b: 1 } },
      },
      customMetrics: { mine: { code_config: { name: 'a.b' }, metricInfo: { metricName: 'mine' } } },
    }
    const told = readEvalConfig(config)
    expect(told).toEqual({
      lost: [],
      config: {
        criteria: {
          tool_trajectory_avg_score: { threshold: 1, matchType: 'IN_ORDER', ignoreArgs: true },
          response_match_score: { threshold: 0.8 },
          exact: { threshold: 1, matchType: 'ANY_ORDER' },
          final_response_match_v2: { threshold: 0.5, judgeModelOptions: { judgeModel: 'm', numSamples: 3 } },
          mine: { threshold: 0.2, myOwn_key: { a_b: 1 } },
        },
        customMetrics: { mine: { codeConfig: { name: 'a.b' }, metricInfo: { metricName: 'mine' } } },
      },
    })
    if ('fault' in told) throw new Error(told.fault)
    const { json } = writeEvalConfig(told.config)
    expect(json).toMatchObject({
      criteria: { response_match_score: 0.8, exact: { threshold: 1, match_type: 'ANY_ORDER' } },
    })
    expect(readEvalConfig(json)).toEqual(told)
  })

  it('whose criteria make no sense is refused', () => {
    expect(readEvalConfig({ criteria: { a: 'high', b: { match_type: 'ANY' } } })).toEqual({
      fault:
        'criteria.a is neither a threshold nor a criterion; criteria.b.match_type is none of EXACT, IN_ORDER, ANY_ORDER; criteria.b.threshold is missing',
    })
    expect(readEvalConfig([])).toEqual({ fault: 'is no object' })
    expect(readEvalConfig({})).toEqual({ config: { criteria: {} }, lost: [] })
  })
})
