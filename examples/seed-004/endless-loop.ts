// How not to do it: it refines for ever, because its quality never reaches the threshold. `llm-eval doctor` says so.
//   node examples/seed-004/endless-loop.ts
//   llm-eval doctor http://localhost:3000/api/chat --timeout 10s
import { setTimeout as pause } from 'node:timers/promises'
import express from 'express'
import { agentStream } from 'llm-eval-sdk/agent'

const app = express()
const threshold = 0.9

app.post('/api/chat', async (_request, response) => {
  const stream = agentStream(response)
  let refinements = 0
  let quality = 0.5
  // No limit: can loop forever! That it ends when nobody reads any more is all that this example does better.
  while (quality < threshold && !stream.signal.aborted) {
    quality = await refined(quality)
    await stream.status(`Refinement ${++refinements}`)
  }
  await stream.close()
})

async function refined(quality: number): Promise<number> {
  await pause(20)
  return quality
}

const server = app.listen(Number(process.env['PORT'] ?? 3000), () => {
  const address = server.address()
  console.log(`http://localhost:${typeof address === 'object' ? address?.port : ''}/api/chat`)
})
