// Level 3 with Express: a stream of events. Tools, their arguments, their order and the cost can be tested.
//   node examples/seed-004/level-3-express.ts
import express from 'express'
import { agentStream } from 'llm-eval-sdk/agent'
import { answer } from './stock-agent.ts'
import { messageOf } from './stocks.ts'

const app = express()
app.use(express.json())

app.post('/api/chat', async (request, response) => {
  const stream = agentStream(response)
  try {
    await stream.complete(await answer(stream, messageOf(request.body)))
  } catch (error) {
    await stream.fail(error)
  } finally {
    await stream.close()
  }
})

const server = app.listen(Number(process.env['PORT'] ?? 3000), () => {
  const address = server.address()
  console.log(`http://localhost:${typeof address === 'object' ? address?.port : ''}/api/chat`)
})
