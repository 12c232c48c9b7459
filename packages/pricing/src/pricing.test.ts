import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createPrices } from './index.ts'

const million = 1_000_000

describe('listed prices', () => {
  const prices = createPrices()

  test('a model is priced by its name', () => {
    expect(prices.cost({ model: 'gpt-4o' }, { input: 1_000, output: 100 })).toBe(3_500_000)
  })

  test('cached tokens cost less and are part of the input', () => {
    expect(prices.cost({ model: 'gpt-4o' }, { input: 1_000, output: 100, cachedInput: 500 })).toBe(2_875_000)
  })

  test('cached tokens beyond the input count on top of it', () => {
    expect(prices.cost({ model: 'gpt-4o' }, { input: 500, output: 100, cachedInput: 600 })).toBe(
      prices.cost({ model: 'gpt-4o' }, { input: 1_100, output: 100, cachedInput: 600 }),
    )
  })

  test('a model nobody knows has an unknown price, not the price 0', () => {
    expect(prices.cost({ model: 'made-up-model' }, { input: 1_000, output: 100 })).toBeNull()
    expect(prices.cost({ model: '' }, { input: 1_000, output: 100 })).toBeNull()
  })

  test('a known name at an unknown address has an unknown price', () => {
    const tokens = { input: 1_000, output: 100 }
    expect(prices.cost({ model: 'gpt-4o', url: 'http://127.0.0.1:11434/v1' }, tokens)).toBeNull()
    expect(prices.cost({ model: 'gpt-4o', url: 'https://api.openai.com/v1' }, tokens)).toBe(3_500_000)
  })

  test('the provider decides between models of the same name', () => {
    expect(prices.cost({ model: 'claude-haiku-4-5', provider: 'anthropic' }, { input: 1_000, output: 0 })).toBe(
      1_000_000,
    )
    expect(prices.cost({ model: 'claude-haiku-4-5', provider: 'nobody' }, { input: 1_000, output: 0 })).toBeNull()
  })

  test('tokens that are no counts make the price unknown', () => {
    for (const input of [Number.NaN, -1, 0.5, Infinity])
      expect(prices.cost({ model: 'gpt-4o' }, { input, output: 1 })).toBeNull()
  })
})

describe('a table of one’s own', () => {
  const prices = createPrices({
    'gpt-4o': { input: 1, output: 2 },
    'local/*': { input: 0, output: 0 },
    'local/big-*': { input: 3, output: 3, cached_input: 1 },
  })

  test('stands over the listed prices', () => {
    expect(prices.cost({ model: 'gpt-4o' }, { input: million, output: million })).toBe(3_000_000_000)
    expect(prices.cost({ model: 'gpt-4o', url: 'http://127.0.0.1/v1' }, { input: 1, output: 0 })).toBe(1_000)
  })

  test('says that a model is free', () => {
    expect(prices.cost({ model: 'llama', provider: 'local' }, { input: 5, output: 5 })).toBe(0)
  })

  test('gives the longest name that fits', () => {
    const tokens = { input: 10, output: 0, cachedInput: 10 }
    expect(prices.cost({ model: 'big-llama', provider: 'local' }, tokens)).toBe(10_000)
  })

  test('takes cached tokens at the price of others where it has none for them', () => {
    expect(prices.cost({ model: 'gpt-4o' }, { input: 10, output: 0, cachedInput: 10 })).toBe(10_000)
  })

  test('gives whole nano-dollars from 0 on that grow with the tokens', () => {
    const count = fc.nat({ max: 10 * million })
    fc.assert(
      fc.property(count, count, fc.double({ min: 0, max: 1_000, noNaN: true }), (fewer, more, price) => {
        const prices = createPrices({ m: { input: price, output: price } })
        const [low, high] = [fewer, fewer + more].map((input) => prices.cost({ model: 'm' }, { input, output: 1 }))
        expect(Number.isSafeInteger(low)).toBe(true)
        expect(high).toBeGreaterThanOrEqual(low ?? Infinity)
      }),
    )
  })

  test('whose numbers are too large for exact sums gives an unknown price', () => {
    expect(createPrices({ m: { input: 1e300, output: 0 } }).cost({ model: 'm' }, { input: 9, output: 0 })).toBeNull()
  })
})
