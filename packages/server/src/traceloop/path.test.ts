import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { valueAt } from './path.ts'

const data = { user: { name: 'Ada', 'a.b': 1 }, messages: [{ content: 'hi' }], 'x.y': 'whole', none: null, no: false }

describe('the value at a path', () => {
  it.each([
    ['user.name', 'Ada'],
    ['messages[0].content', 'hi'],
    ['messages.0.content', 'hi'],
    ['x.y', 'whole'],
    ['none', null],
    ['no', false],
    ['user', data.user],
    ['messages[1].content', undefined],
    ['user.name.length', undefined],
    ['user.toString', undefined],
    ['__proto__', undefined],
    ['constructor.name', undefined],
    ['', undefined],
    ['[]', undefined],
    ['...', undefined],
  ])('%j is found, or is not there', (path, value) => {
    expect(valueAt(data, path)).toEqual(value)
  })

  it('is found for every way through nested objects and lists', () => {
    const key = fc.stringMatching(/^[a-z]{1,5}$/)
    fc.assert(
      fc.property(fc.array(fc.oneof(key, fc.nat(3)), { minLength: 1 }), fc.jsonValue(), (way, leaf) => {
        const root = way.reduceRight<unknown>(
          (inner, step) => (typeof step === 'string' ? { [step]: inner } : [...Array<null>(step).fill(null), inner]),
          leaf,
        )
        const path = way.map((step) => (typeof step === 'string' ? `.${step}` : `[${step}]`)).join('')
        expect(valueAt(root, path.replace(/^\./, ''))).toEqual(leaf)
      }),
    )
  })
})
