import { limits } from '@llm-eval/protocol'
import { expect, it } from 'vitest'
import { parseSearch } from './search.ts'

it('a query is sought by its first sixteen words, and by no more', () => {
  const words = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`).join(' ')
  expect(parseSearch(words(limits.searchWords - 1))).toHaveLength(limits.searchWords - 1)
  expect(parseSearch(words(limits.searchWords))).toHaveLength(limits.searchWords)
  expect(parseSearch(words(limits.searchWords + 1))).toEqual(parseSearch(words(limits.searchWords)))
})
