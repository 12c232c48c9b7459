import { describe, expect, it } from 'vitest'
import { caseOf, createCaseReader, createContentIds } from './case-of.ts'

const made = (values: Record<string, unknown>, outputs?: string) => {
  const { input, expected } = caseOf({ id: 'a', values }, outputs)
  return [input, expected]
}

describe('a row of a dataset', () => {
  it('is asked by the columns of that meaning, however they are spelled', () => {
    expect(made({ input: 'q', expected: 'r' })).toEqual(['q', 'r'])
    expect(made({ Question: 'q', 'ground-truth': 'r', context: 'c' })).toEqual(['q', 'r'])
    expect(made({ user_query: 'q', answer: 'r' })).toEqual(['q', 'r'])
    expect(made({ prompt: 'p', question: 'q', input: 'i', answer: 'a', reference: 'r' })).toEqual(['i', 'r'])
  })

  it('is asked as a whole where it has no such column', () => {
    expect(made({ first: 1, second: 2, expected: 3 })).toEqual([{ first: 1, second: 2 }, 3])
    expect(made({ first: 1 })).toEqual([{ first: 1 }, null])
    expect(made({ context: 'c' })).toEqual([{ context: 'c' }, null])
  })

  it('does not expect the answers that are to be judged', () => {
    expect(made({ question: 'q', answer: 'given', target: 'r' }, 'answer')).toEqual(['q', 'r'])
    expect(made({ topic: 't', answer: 'given' }, 'answer')).toEqual([{ topic: 't' }, null])
  })

  it('is read as it is, whatever columns the row before it had', () => {
    const rows = [
      { question: 'q', target: 'r' },
      { question: 'p', target: 's' },
      { question: 'q', other: 'r' },
      { other: 'q', question: 'r' },
      { question: 'q' },
      { topic: 't', answer: 'given' },
      {},
    ].map((values) => ({ id: 'a', values }))
    const reader = createCaseReader('answer')
    expect(rows.map(reader)).toEqual(rows.map((row) => caseOf(row, 'answer')))
  })

  it('keeps all of its columns for evaluators', () => {
    const values = { question: 'q', topic: 't' }
    expect(caseOf({ id: 'a', values })).toMatchObject({ id: 'a', values })
  })
})

describe('ids of what cases say', () => {
  it('stay when others come and go, and tell equal ones apart', () => {
    const idsOf = (cases: readonly unknown[]) => cases.map(createContentIds())
    const [a, b, again] = idsOf([{ q: 1, r: 2 }, { q: 2 }, { r: 2, q: 1 }])
    expect(again).toBe(`${a}-2`)
    expect(idsOf([{ q: 0 }, { q: 2 }, { q: 1, r: 2 }]).slice(1)).toEqual([b, a])
    expect(a).toMatch(/^[0-9a-f]{16}$/)
  })
})
