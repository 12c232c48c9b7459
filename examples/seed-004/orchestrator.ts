// An orchestrator such as TapeScope: it decides, calls tools beside each other, refines within bounds, sums the tokens of all its
// calls of models, and ends with message_complete.
//   node examples/seed-004/orchestrator.ts
import Fastify from 'fastify'
import { type AgentStream, agentStream, refine, type TokenUsage } from 'llm-eval-sdk/agent'
import { analyzeStock, askModel, messageOf, symbolsIn } from './stocks.ts'

/** Calls a model, and adds what it took to the totals. */
function countingModel(total: TokenUsage) {
  return async (prompt: string): Promise<string> => {
    const { text, usage } = await askModel(prompt)
    total.input_tokens += usage.input_tokens
    total.output_tokens += usage.output_tokens
    total.cached_tokens = (total.cached_tokens ?? 0) + usage.cached_tokens
    return text
  }
}

async function orchestrate(stream: AgentStream, message: string): Promise<string> {
  const total: TokenUsage = { input_tokens: 0, output_tokens: 0, model: 'gpt-4o-mini' }
  const model = countingModel(total)
  const analyses = await Promise.all(
    symbolsIn(message).map((symbol) => stream.tool('analyzeStock', { symbol }, () => analyzeStock(symbol))),
  )
  const facts = analyses.map(({ symbol, price, trend }) => `${symbol} is at $${price} and goes ${trend}`).join('; ')
  const { result } = await refine({
    start: () => model(`${facts}.`),
    improve: (best) => model(best),
    // The TinyLLM refinement decision: a shorter text is a better one. Even if none is, there is a result.
    isBetter: (candidate, best) => candidate.length < best.length,
    maxIterations: 3,
    maxMs: 30_000,
    onStatus: (text) => stream.status(text),
    signal: stream.signal,
  })
  await stream.usage(total)
  return result
}

const app = Fastify()

app.post('/api/chat', async (request, reply) => {
  reply.hijack()
  const stream = agentStream(reply.raw)
  try {
    await stream.complete(await orchestrate(stream, messageOf(request.body)))
  } catch (error) {
    await stream.fail(error)
  } finally {
    await stream.close()
  }
})

const address = await app.listen({ port: Number(process.env['PORT'] ?? 3000) })
console.log(`${address}/api/chat`)
