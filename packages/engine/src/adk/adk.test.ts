import type { AdkTrajectoryMatch } from '@llm-eval/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareInvocations } from './compare-invocations.ts'
import { isEqualInPython } from './equality.ts'
import { responseMatch } from './response-match.ts'
import { meanTokenUsage, tokenUsage } from './token-usage.ts'
import { type InvocationCall, toolParameterMatch, toolTrajectory } from './tool-calls.ts'

const call = (name: string, args: Record<string, unknown> | null = {}): InvocationCall => ({ name, args })
const [a, b, c] = [call('a'), call('b'), call('c')]

describe('arguments are equal as in Python:', () => {
  it.each<[unknown, unknown, boolean]>([
    [10, 10, true],
    [1, true, true],
    [0, false, true],
    [2, true, false],
    [0, -0, true],
    ['1', 1, false],
    [null, {}, false],
    [null, 0, false],
    [null, false, false],
    ['', null, false],
    [{ a: 1, b: [true, 2] }, { b: [1, 2], a: true }, true],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [{ a: null }, {}, false],
    [JSON.parse('{"__proto__": 1}'), {}, false],
    [JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": true}'), true],
  ])('%j and %j: %s', (...[one, other, equal]) => {
    expect(isEqualInPython(one, other)).toBe(equal)
    expect(isEqualInPython(other, one)).toBe(equal)
  })

  it('values that are nested a hundred thousand times are compared', () => {
    const nested = (leaf: unknown) => Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], leaf)
    expect(isEqualInPython(nested(1), nested(true))).toBe(true)
    expect(isEqualInPython(nested(1), nested(2))).toBe(false)
  })
})

describe('the trajectory of tools', () => {
  // Each line was scored so by TrajectoryEvaluator of google-adk 2.13.0, as were 72,000 generated pairs.
  it.each<[AdkTrajectoryMatch, InvocationCall[], InvocationCall[], number]>([
    ['EXACT', [a, b], [a, b], 1],
    ['EXACT', [a, b], [b, a], 0],
    ['EXACT', [a], [a, b], 0],
    ['EXACT', [], [], 1],
    ['EXACT', [], [a], 0],
    ['EXACT', [call('a', null)], [a], 0],
    ['EXACT', [call('a', { n: 10 })], [call('a', { n: 10.0 })], 1],
    ['IN_ORDER', [a, b], [a, c, b], 1],
    ['IN_ORDER', [a, b], [b, a], 0],
    ['IN_ORDER', [a, a], [a], 0],
    ['IN_ORDER', [], [a], 1],
    ['IN_ORDER', [a], [], 0],
    ['ANY_ORDER', [a, b], [b, c, a], 1],
    ['ANY_ORDER', [a, a], [a, b], 0],
    ['ANY_ORDER', [], [a], 1],
    ['ANY_ORDER', [a], [call('a', { x: 1 })], 0],
  ])('%s: %j is kept by %j: %i', (...[match, expected, actual, score]) => {
    expect(toolTrajectory(expected, actual, { match, ignoreArgs: false })).toBe(score)
  })

  it('is one of names alone where arguments are ignored', () => {
    const options = { match: 'EXACT', ignoreArgs: true } as const
    expect(toolTrajectory([call('a', null)], [call('a', { x: 1 })], options)).toBe(1)
  })

  it('of very many calls is compared, however deep their arguments are', () => {
    const deep = (leaf: unknown) => Array.from({ length: 50_000 }).reduce<unknown>((inner) => [inner], leaf)
    const calls = Array.from({ length: 20_000 }, (_, n) => call('a', { n, x: n % 2 === 0 }))
    const options = { match: 'ANY_ORDER', ignoreArgs: false } as const
    expect(
      toolTrajectory(
        [...calls, call('b', { deep: deep(1) })],
        [call('b', { deep: deep(true) }), ...calls.toReversed()],
        options,
      ),
    ).toBe(1)
    expect(
      toolTrajectory([...calls, call('b', { deep: deep(1) })], [call('b', { deep: deep(2) }), ...calls], options),
    ).toBe(0)
  })

  it('that is kept exactly is kept in order, and one in order is kept in any', () => {
    const calls = fc.array(fc.record({ name: fc.constantFrom('a', 'b'), args: fc.constantFrom(null, {}, { x: 1 }) }))
    fc.assert(
      fc.property(calls, calls, (expected, actual) => {
        const [exactly, ordered, anyhow] = (['EXACT', 'IN_ORDER', 'ANY_ORDER'] as const).map((match) =>
          toolTrajectory(expected, actual, { match, ignoreArgs: false }),
        )
        expect([exactly, ordered, anyhow].toSorted((one, other) => Number(one) - Number(other))).toEqual([
          exactly,
          ordered,
          anyhow,
        ])
      }),
    )
  })
})

describe('the match of parameters', () => {
  // The cases of the measure's own tests in adk-python, which is newer than google-adk 2.13.0.
  const search = (args: Record<string, unknown>) => call('search', args)
  it.each<[InvocationCall[], InvocationCall[], number | null]>([
    [[search({ city: 'Rome', rooms: 1 })], [search({ city: 'Rome', rooms: 2 })], 0.5],
    [[search({})], [search({ city: 'Rome' })], 1],
    [[call('search', null)], [search({ city: 'Rome' })], 1],
    [[search({ city: 'Rome' })], [call('search', null)], 0],
    [
      [search({ city: 'Rome' }), search({ city: 'Paris' })],
      [call('log'), search({ city: 'Rome' }), search({ city: 'Paris' })],
      1,
    ],
    [[search({ city: 'Rome' })], [], 0],
    [[call('log'), search({ city: 'Rome' })], [search({ city: 'Rome' })], 0.5],
    [[], [], null],
    [[], [a], null],
  ])('of %j with %j is %j', (expected, actual, score) => {
    expect(toolParameterMatch(expected, actual)).toBe(score)
  })
})

describe('the match of responses', () => {
  // Scored by final_response_match_v1 of google-adk 2.13.0 with rouge_score 0.1.2, as were 12,000 generated pairs.
  it.each<[string, string, number]>([
    ['The 10th prime is 29.', '29 is the 10th prime number', 0.9090909090909091],
    ['It rained in Grenoble', 'It rains in Grenoble.', 1],
    ['', '', 0],
    ['a', '', 0],
    ['Generously relational', 'generous relations', 1],
    ['skies are dying', 'sky dies', 0.8],
    ['Café naïve', 'cafe naive', 0],
    ['こんにちは世界', '世界こんにちは!', 1],
    ['สวัสดีครับ', 'สวัสดีค่ะ', 0.6153846153846153],
    ['안녕하세요 세계', '안녕 세계', 0.7272727272727273],
    ['Привет мир', 'привет, Мир!', 1],
    ['ﬁne ½', 'fine 1⁄2', 1],
    ['foo_bar e-mail', 'foo bar e mail', 1],
    ['the the the cat', 'the cat cat', 0.5714285714285715],
    ['one\ntwo', 'two one three', 0.8],
  ])('of %j with %j is %d', (expected, actual, score) => {
    expect(responseMatch(expected, actual)).toBe(score)
  })
})

describe('the usage of tokens', () => {
  it('is summed over calls of models, and what nobody reported is unknown, not 0', () => {
    const usage = tokenUsage([
      { promptTokenCount: 10, candidatesTokenCount: 5, thoughtsTokenCount: 2 },
      { promptTokenCount: 0, toolUsePromptTokenCount: 3, candidatesTokenCount: null },
      {},
    ])
    expect(usage).toEqual({
      total_tokens: 20,
      input_tokens: 13,
      prompt_tokens: 10,
      cached_tokens: null,
      tool_use_tokens: 3,
      output_tokens: 7,
      candidates_tokens: 5,
      reasoning_tokens: 2,
    })
    expect(Object.values(tokenUsage([]))).toEqual(Array.from({ length: 8 }, () => null))
  })

  it('is averaged over all turns, as long as one reports it', () => {
    const mean = meanTokenUsage([tokenUsage([{ promptTokenCount: 10, thoughtsTokenCount: 4 }]), tokenUsage([])])
    expect(mean).toMatchObject({ total_tokens: 7, prompt_tokens: 5, reasoning_tokens: 2, cached_tokens: null })
  })
})

describe('invocations that are compared', () => {
  const done = (response: string, ...calls: InvocationCall[]) => ({ response, calls })

  it('score turn by turn, and what has nothing to hold against is left out of the mean', () => {
    const expected = [done('yes', a), done('no'), done('maybe', b)]
    const { scores, turns } = compareInvocations(expected, [done('yes', a), done('no', c), null])
    expect(turns).toEqual([
      { tool_trajectory_avg_score: 1, response_match_score: 1, tool_parameter_match: 1 },
      { tool_trajectory_avg_score: 0, response_match_score: 1, tool_parameter_match: null },
      { tool_trajectory_avg_score: null, response_match_score: null, tool_parameter_match: null },
    ])
    expect(scores).toEqual({ tool_trajectory_avg_score: 0.5, response_match_score: 1, tool_parameter_match: 1 })
  })

  it('are as many as are expected, and without any there is no score', () => {
    expect(() => compareInvocations([done('yes')], [])).toThrow(RangeError)
    expect(Object.values(compareInvocations([], []).scores)).toEqual([null, null, null])
  })
})
