import { describe, expect, it } from 'vitest'
import { noTokens, sumKnown, sumTokens, tokensOf } from './token-sums.ts'

describe('sums of tokens', () => {
  it('are of those that are known, and unknown where none is', () => {
    expect(sumKnown([])).toBeNull()
    expect(sumKnown([null, undefined])).toBeNull()
    expect(sumKnown([null, 0, undefined])).toBe(0)
    expect(sumKnown([2, null, 3])).toBe(5)
    const most = Number.MAX_SAFE_INTEGER
    expect([sumKnown([most - 1, 1]), sumKnown([most, 1]), sumKnown([most, most])]).toEqual([most, most, most])
  })

  it('count results of tools as input and thoughts as output, and leave the total as it was told', () => {
    expect(tokensOf({})).toEqual(noTokens)
    expect(tokensOf({ thoughtsTokenCount: 3 })).toEqual({ ...noTokens, output: 3, thoughts: 3 })
    const usage = {
      promptTokenCount: 10,
      toolUsePromptTokenCount: 2,
      candidatesTokenCount: 4,
      thoughtsTokenCount: 1,
      cachedContentTokenCount: 7,
      totalTokenCount: 99,
    }
    expect(tokensOf(usage)).toEqual({ input: 12, output: 5, thoughts: 1, cached: 7, total: 99 })
  })

  it('of several calls leave unknown what none of them told', () => {
    expect(sumTokens([])).toEqual(noTokens)
    expect(sumTokens([{ ...noTokens, input: 1 }, noTokens, { ...noTokens, input: 2, cached: 0 }])).toEqual({
      ...noTokens,
      input: 3,
      cached: 0,
    })
  })
})
