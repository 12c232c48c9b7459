import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

/** What was asked of a scripted agent of ADK. */
export interface AdkAsked {
  session: string
  user: string
  app: string
  text: string
  state: Record<string, unknown> | undefined
  authorization: string | undefined
}

/** Events of a turn without what all of them have; a text in their place breaks the stream off there. */
export type AdkScript = (text: string, turn: number) => (object | string)[]

/** A call of a tool with its result, as ADK streams them. */
export function adkCall(name: string, args: object, response: object = { result: 'ok' }): object[] {
  const id = `adk-${randomUUID()}`
  return [
    { content: { role: 'model', parts: [{ functionCall: { id, name, args } }] } },
    { content: { role: 'user', parts: [{ functionResponse: { id, name, response } }] } },
  ]
}

/** An answer in two pieces and as a whole, as ADK streams it. */
export function adkText(answer: string): object[] {
  const parts = (piece: string) => ({ content: { role: 'model', parts: [{ text: piece }] } })
  const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 }
  const half = Math.ceil(answer.length / 2)
  return [
    { ...parts(answer.slice(0, half)), partial: true },
    { ...parts(answer.slice(half)), partial: true },
    { ...parts(answer), usageMetadata, modelVersion: 'gemini-2.5-flash' },
  ]
}

/** How a server is set up otherwise than usual. */
export interface AdkSetting {
  apps?: string[]
  /** The status that a new session is answered with; 200 unless said. */
  sessionStatus?: number
}

/** An `adk api_server` on loopback that says what its script says. */
export async function startAdk(script: AdkScript, { apps = ['trips'], sessionStatus = 200 }: AdkSetting = {}) {
  const asked: AdkAsked[] = []
  const turns = new Map<string, number>()
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const made = /^\/apps\/([^/]+)\/users\/([^/]+)\/sessions\/([^/]+)$/.exec(request.url ?? '')
      if (made)
        return response
          .writeHead(sessionStatus, { 'content-type': 'application/json' })
          .end(JSON.stringify({ id: made[3] }))
      if (request.url === '/list-apps') return response.end(JSON.stringify(apps))
      if (request.url !== '/run_sse') return response.writeHead(404).end('{"detail":"Not Found"}')
      const told = JSON.parse(body) as {
        appName: string
        userId: string
        sessionId: string
        newMessage: { parts: { text?: string }[] }
        stateDelta?: Record<string, unknown>
      }
      const said = told.newMessage.parts.map((part) => part.text ?? '').join('\n')
      asked.push({
        session: told.sessionId,
        user: told.userId,
        app: told.appName,
        text: said,
        state: told.stateDelta,
        authorization: request.headers.authorization,
      })
      const turn = (turns.get(told.sessionId) ?? 0) + 1
      turns.set(told.sessionId, turn)
      const invocationId = `e-${randomUUID()}`
      response.setHeader('content-type', 'text/event-stream')
      for (const event of script(said, turn)) {
        if (typeof event === 'string') return response.write(event, () => response.destroy())
        const common = { id: randomUUID(), invocationId, author: 'root_agent', timestamp: Date.now() / 1_000 }
        // What a server says of its own is no event.
        const whole = 'error' in event ? event : { ...common, ...event }
        response.write(`data: ${JSON.stringify(whole)}\n\n`)
      }
      return response.end()
    })
  })
  const listening = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', listening.resolve)
  await listening.promise
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, asked }
}
