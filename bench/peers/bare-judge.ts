/**
 * The limit of executions: a bare Fastify server beside the same engine, which stores nothing and remembers nothing.
 * `POST /run`: scores the input and answers. `GET /hold`: is answered when somebody posts to `/release`.
 */
import fastify from 'fastify'
import { createEngine } from '@llm-eval/engine'

const engine = createEngine()
const app = fastify({ logger: false })
const held = new Set<(answer: object) => void>()

const schema = {
  type: 'object',
  required: ['evaluator', 'input'],
  properties: { evaluator: { type: 'string' }, input: { type: 'object' } },
}

app.post<{ Body: { evaluator: string; input: Record<string, unknown> } }>(
  '/run',
  { schema: { body: schema } },
  (request) => engine.evaluate(request.body),
)
app.get('/hold', () => new Promise<object>((resolve) => held.add(resolve)))
app.post('/release', () => {
  const released = held.size
  for (const answer of held) answer({ released })
  held.clear()
  return { released }
})

await app.listen({ host: '127.0.0.1', port: 0 })
const address = app.server.address()
if (typeof address !== 'object' || address === null) throw new Error('it does not listen on a port')
process.send?.({ port: address.port })
process.once('disconnect', () => process.exit(1))
process.once('SIGTERM', () => process.exit(0))
