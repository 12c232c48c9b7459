import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mostSteps } from './regex-steps.ts'

const few = 1_000_000

describe('the steps of a regular expression', () => {
  it.each([
    '^Order \\d+$',
    '\\bParis\\b',
    'a|b|c',
    '(?:Dr|Mr|Ms)\\. \\w+',
    '[)(*+]{2}x',
    '(abc)*d',
    '(?<year>\\d{4})-(?<month>\\d{2})',
    'a+?b',
    '\\(a\\)+',
    '[^\\]]+',
  ])('of %s are few on a short text', (pattern) => {
    expect(() => new RegExp(pattern, 'u')).not.toThrow()
    expect(mostSteps(pattern, 30)).toBeLessThanOrEqual(few)
  })

  it.each([
    '(a+)+b',
    '(a*)*b',
    '(a|a)*b',
    '(a|b|ab)+c',
    '(?:a?){30}a{30}',
    '((a{2}){2}){2}',
    '(.*)(.*)(.*)(.*)(.*)b',
    'a*a*a*a*a*a*b',
    'a?a?a?a?a?a?a?a?aaaaaaaa',
    '(a)\\1+',
    '(?<x>a+)\\k<x>',
    '(?=(a+))\\1b',
    '(?:(?:a|b)(?:c|d+))*e',
    '(?:\\b){1000}',
    '(?:){2,1000}',
    '(a',
    'a)',
  ])('of %s are not known to be few', (pattern) => {
    expect(mostSteps(pattern, 60)).toBeGreaterThan(few)
  })

  it('are more on a longer text', () => {
    expect(mostSteps('\\d+$', 100)).toBeLessThan(mostSteps('\\d+$', 101))
    expect(mostSteps('Paris', 100_000)).toBeLessThanOrEqual(few)
    expect(mostSteps('\\d+$', 100_000)).toBeGreaterThan(few)
  })

  it('bound what a backtracking matcher does with any pattern that is made of these parts', () => {
    const atom = fc.constantFrom('a', 'b', '[ab]', '.')
    const quantifier = fc.constantFrom('', '', '*', '+', '?', '{1,3}', '{2}')
    const { regex } = fc.letrec<{ regex: string; part: string }>((tie) => ({
      part: fc.oneof(
        { maxDepth: 3 },
        fc.tuple(atom, quantifier).map(([one, times]) => one + times),
        fc.tuple(tie('regex'), quantifier).map(([inner, times]) => `(?:${inner})${times}`),
      ),
      regex: fc.oneof(
        { maxDepth: 3 },
        fc.array(tie('part'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
        fc.tuple(tie('part'), tie('part')).map(([left, right]) => `${left}|${right}`),
      ),
    }))
    fc.assert(
      fc.property(regex, fc.stringMatching(/^[ab]{0,9}$/), (pattern, text) => {
        const bound = mostSteps(pattern, text.length)
        fc.pre(bound <= few)
        expect(stepsOf(pattern, text)).toBeLessThanOrEqual(bound)
      }),
      { numRuns: 500 },
    )
  })
})

/** Steps of a matcher that tries everything: at every place, every way through, to a failure at the end. */
function stepsOf(pattern: string, text: string): number {
  let [steps, at] = [0, 0]
  type Next = (place: number) => void
  type Part = (place: number, next: Next) => void
  const step = () => {
    if (++steps > 2 * few) throw new Error('too many steps')
  }
  const alternatives = (): Part => {
    const branches = [sequence()]
    while (pattern[at] === '|') {
      at++
      branches.push(sequence())
    }
    return (place, next) => {
      for (const branch of branches) branch(place, next)
    }
  }
  const sequence = (): Part => {
    const parts: Part[] = []
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') parts.push(repeated(single()))
    return parts.reduceRight<Part>(
      (rest, part) => (place, next) => part(place, (after) => rest(after, next)),
      (place, next) => next(place),
    )
  }
  const single = (): Part => {
    if (pattern.startsWith('(?:', at)) {
      at += 3
      const inner = alternatives()
      at++
      return inner
    }
    const one = pattern.startsWith('[ab]', at) ? '[ab]' : (pattern[at] ?? '')
    at += one.length
    return (place, next) => {
      step()
      if (place < text.length && (one.length > 1 || one === '.' || text[place] === one)) next(place + 1)
    }
  }
  const repeated = (part: Part): Part => {
    const [whole, times] = /^(?:[*+?]|\{(\d(?:,\d)?)\})/.exec(pattern.slice(at)) ?? ['']
    at += whole.length
    const counts: Record<string, [number, number]> = { '': [1, 1], '*': [0, Infinity], '+': [1, Infinity], '?': [0, 1] }
    const told: [number, number] = [Number(times?.[0]), Number(times?.at(-1))]
    const [least, most] = counts[whole] ?? told
    const again = (count: number, place: number, next: Next): void => {
      if (count < most)
        part(place, (after) => {
          // What matches nothing is not repeated.
          if (after > place || count < least) again(count + 1, after, next)
        })
      if (count >= least) next(place)
    }
    return (place, next) => again(0, place, next)
  }
  const whole = alternatives()
  for (let start = 0; start <= text.length; start++) whole(start, () => step())
  return steps
}
