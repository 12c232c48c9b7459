// Level 2: beside its answer the agent says what it cost, how many tokens it took, and which steps it went.
//   node examples/seed-004/level-2-fastify.ts
import Fastify from 'fastify'
import { analyzeStock, messageOf, symbolsIn } from './stocks.ts'

const app = Fastify()

app.post('/api/chat', async (request) => {
  const [symbol = ''] = symbolsIn(messageOf(request.body))
  const { trend } = await analyzeStock(symbol)
  return {
    response: `${symbol} analysis... It goes ${trend}.`,
    metadata: {
      cost: 0.05,
      tokens: { input: 100, output: 500 },
      steps: ['fetch_data', 'analyze', 'synthesize'],
    },
  }
})

const address = await app.listen({ port: Number(process.env['PORT'] ?? 3000) })
console.log(`${address}/api/chat`)
