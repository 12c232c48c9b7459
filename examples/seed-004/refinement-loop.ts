// A loop of refinement that ends: after so many attempts, after so long, and when it gets no better.
//   node examples/seed-004/refinement-loop.ts
import express from 'express'
import { type AgentStream, agentStream, refine } from 'llm-eval-sdk/agent'
import { messageOf } from './stocks.ts'

interface Draft {
  text: string
  quality: number
}

async function initialExecution(query: string): Promise<Draft> {
  return { text: `A first thought about: ${query}`, quality: 0.4 }
}

/** Stands for a model that improves a draft. Of riddles it finds out nothing, however often it is asked. */
async function improve({ text, quality }: Draft): Promise<Draft> {
  return text.includes('riddle') ? { text, quality } : { text: text.replace('first', 'better'), quality: quality + 0.2 }
}

async function executeWithRefinement(stream: AgentStream, query: string, maxRefinements = 3): Promise<Draft> {
  const { result, stopped } = await refine({
    start: () => initialExecution(query),
    improve,
    isBetter: (candidate, best) => candidate.quality > best.quality,
    shouldStop: ({ quality }) => quality >= 0.7,
    maxIterations: maxRefinements,
    maxMs: 30_000,
    // Emits status events: Refinement 1/3
    onStatus: (text) => stream.status(text),
    signal: stream.signal,
  })
  await stream.status(`Stopped: ${stopped}`)
  return result
}

const app = express()
app.use(express.json())

app.post('/api/chat', async (request, response) => {
  const stream = agentStream(response)
  try {
    const { text } = await executeWithRefinement(stream, messageOf(request.body))
    await stream.complete(text)
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
