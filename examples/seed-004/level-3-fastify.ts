// Level 3 with Fastify: `reply.hijack()` leaves the response to the stream.
//   node examples/seed-004/level-3-fastify.ts
import Fastify from 'fastify'
import { agentStream } from 'llm-eval-sdk/agent'
import { answer } from './stock-agent.ts'
import { messageOf } from './stocks.ts'

const app = Fastify()

app.post('/api/chat', async (request, reply) => {
  reply.hijack()
  const stream = agentStream(reply.raw)
  try {
    await stream.complete(await answer(stream, messageOf(request.body)))
  } catch (error) {
    await stream.fail(error)
  } finally {
    await stream.close()
  }
})

const address = await app.listen({ port: Number(process.env['PORT'] ?? 3000) })
console.log(`${address}/api/chat`)
