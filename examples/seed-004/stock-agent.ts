// The agent behind the examples of level 3: it says what it does while it does it, whatever framework serves it.
import type { AgentStream } from 'llm-eval-sdk/agent'
import { analyzeStock, askModel, symbolsIn } from './stocks.ts'

export async function answer(stream: AgentStream, message: string): Promise<string> {
  const [symbol = ''] = symbolsIn(message)
  await stream.status(`Looking at ${symbol}`)
  // Emits tool_call, and tool_result with what came of it; a failure is told too, and thrown.
  const analysis = await stream.tool('analyzeStock', { symbol }, () => analyzeStock(symbol))
  const { text, usage } = await askModel(`${symbol} is at $${analysis.price} and goes ${analysis.trend}.`)
  await stream.usage(usage)
  return text
}
