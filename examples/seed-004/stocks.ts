// What the agents of this folder stand on: prices and a model that always say the same. Put your own in their place.

/** What a user asks, of a request as it came. */
export function messageOf(body: unknown): string {
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : undefined
  return typeof message === 'string' ? message : ''
}

/** The symbols that a message names: AAPL where there is none. */
export function symbolsIn(message: string): string[] {
  const symbols = message.match(/\b[A-Z]{3,5}\b/g) ?? ['AAPL']
  return [...new Set(symbols)]
}

const prices: Record<string, number> = { AAPL: 266.25, MSFT: 507.1 }

export async function fetchData(symbol: string): Promise<{ symbol: string; price: number }> {
  const price = prices[symbol]
  if (price === undefined) throw new Error(`No exchange knows ${symbol}.`)
  return { symbol, price }
}

export async function analyzeStock(symbol: string): Promise<{ symbol: string; price: number; trend: 'up' | 'down' }> {
  const { price } = await fetchData(symbol)
  return { symbol, price, trend: price > 300 ? 'down' : 'up' }
}

/** A call of a model, and what it took. */
export async function askModel(prompt: string): Promise<{ text: string; usage: ModelUsage }> {
  const usage = { input_tokens: 1000, output_tokens: 500, cached_tokens: 100, model: 'gpt-4o-mini' }
  return { text: `In short: ${prompt}`, usage }
}

export interface ModelUsage {
  input_tokens: number
  output_tokens: number
  cached_tokens: number
  model: string
}
