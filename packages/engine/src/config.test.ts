import { expect, it } from 'vitest'
import { builtinEvaluators } from './builtin.ts'
import { readConfig } from './config.ts'

it('a member called __proto__ brings no members of its own along', () => {
  const levenshtein = builtinEvaluators.find(({ slug }) => slug === 'levenshtein')
  if (!levenshtein) throw new Error('there is no levenshtein')
  const hostile: Record<string, unknown> = Object.fromEntries([['__proto__', { threshold: 0.123 }]])
  expect(readConfig(levenshtein, hostile)).toEqual({ faults: [{ path: 'config.__proto__', message: 'is not known' }] })
})
