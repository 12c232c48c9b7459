// Level 3 with Next.js: app/api/chat/route.ts. It is a plain web handler, and so fits Hono, Deno, Bun and workers too.
import { agentResponse } from 'llm-eval-sdk/agent'
import { answer } from './stock-agent.ts'
import { messageOf } from './stocks.ts'

export async function POST(request: Request): Promise<Response> {
  const message = messageOf(await request.json())
  return agentResponse((stream) => answer(stream, message))
}
