import { calcPrice } from '@pydantic/genai-prices'

/** Tokens of one answer. `cached` tokens are part of `input`. */
export interface Tokens {
  input: number
  output: number
  cachedInput?: number | undefined
}

/** A price of one's own, in US dollars for a million tokens. */
export interface Price {
  input: number
  output: number
  cached_input?: number | undefined
}

/** A model, and as far as that is known, whose it is. */
export interface PricedModel {
  model: string
  /** As the catalogue names them: `openai`, `anthropic`, `google`, … Without it the model's name alone decides. */
  provider?: string | undefined
  /** Where it was asked. One that belongs to nobody known makes the price unknown: the same name may cost anything there. */
  url?: string | undefined
  /** When it was asked, in milliseconds since 1970: prices change. Now, when absent. */
  at?: number | undefined
}

export interface Prices {
  /**
   * What an answer cost, in nano-dollars (10⁻⁹ US dollars), a whole number; null when nobody knows. Tokens that are no whole
   * numbers from 0 on make it unknown too. Cached tokens beyond the input's are taken as having come on top of it.
   */
  cost(model: PricedModel, tokens: Tokens): number | null
}

/**
 * Prices from a table of one's own, over those of `@pydantic/genai-prices` as they were when it was published; nothing is
 * fetched. Names in the table are models (`gpt-4o`), models of a provider (`openai/gpt-4o`), or either with `*` at the end;
 * the longest that fits wins.
 */
export function createPrices(table: Readonly<Record<string, Price>> = {}): Prices {
  const rows = Object.entries(table).sort(([a], [b]) => b.length - a.length)
  return {
    cost(asked, tokens) {
      const counted = countedTokens(tokens)
      if (!counted) return null
      const own = rows.find(([name]) => fits(name, asked))?.[1]
      return own ? ownCost(own, counted) : listedCost(asked, counted)
    },
  }
}

type Counted = Required<Tokens> & { cachedInput: number }

function countedTokens({ input, output, cachedInput = 0 }: Tokens): Counted | undefined {
  if (![input, output, cachedInput].every((count) => Number.isSafeInteger(count) && count >= 0)) return undefined
  return { input: cachedInput > input ? input + cachedInput : input, output, cachedInput }
}

function fits(name: string, { model, provider }: PricedModel): boolean {
  const names = provider === undefined ? [model] : [model, `${provider}/${model}`]
  return name.endsWith('*') ? names.some((one) => one.startsWith(name.slice(0, -1))) : names.includes(name)
}

function ownCost(price: Price, { input, output, cachedInput }: Counted): number | null {
  const cached = price.cached_input ?? price.input
  return whole(((input - cachedInput) * price.input + cachedInput * cached + output * price.output) * 1_000)
}

function listedCost({ model, provider, url, at }: PricedModel, { input, output, cachedInput }: Counted): number | null {
  const usage = { input_tokens: input, output_tokens: output, cache_read_tokens: cachedInput }
  try {
    const price = calcPrice(usage, model, {
      ...(url === undefined ? {} : { providerApiUrl: url }),
      ...(provider === undefined || url !== undefined ? {} : { providerId: provider }),
      ...(at === undefined ? {} : { timestamp: new Date(at) }),
    })
    // A model that is listed without a price is one whose price is unknown, not one that is free.
    return price && Object.keys(price.model_price).length > 0 ? whole(price.total_price * 1e9) : null
  } catch {
    return null
  }
}

function whole(nanoDollars: number): number | null {
  const rounded = Math.round(nanoDollars)
  return Number.isSafeInteger(rounded) && rounded >= 0 ? rounded : null
}
