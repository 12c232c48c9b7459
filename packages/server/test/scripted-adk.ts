import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request to run an agent, as it arrived. */
export interface AskedRun {
  path: string
  headers: IncomingMessage['headers']
  // Tests look into bodies freely.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any
  /** Writes frames of an answer. */
  response: ServerResponse
  /** Resolves when whoever asked is gone. */
  gone: Promise<unknown>
}

/** A server that speaks as `adk api_server` and as Agent Engine do, and says what a test wants. */
export interface ScriptedAdk {
  url: string
  runs: AskedRun[]
  /** Ids of its sessions. */
  sessions: Set<string>
  /** Requests that made a session. */
  created: AskedRun[]
  /** Answers runs from now on. */
  answer: (next: (run: AskedRun) => void | Promise<void>) => void
  close(): Promise<void>
}

/** Answers with events as `/run_sse` does, in one go: no moment lies between them, however slow the machine is. */
export function say(...events: object[]): (run: AskedRun) => void {
  return ({ response }) => {
    begin(response)
    response.end(events.map(frame).join(''))
  }
}

export function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
}

export function frame(event: object): string {
  return `data: ${JSON.stringify(event)}\n\n`
}

let number = 0

/** An event of an agent. */
export function spoken(text: string, more: object = {}): Record<string, unknown> {
  return heard({ parts: [{ text }], role: 'model' }, more)
}

export function heard(content: object, more: object = {}): Record<string, unknown> {
  number++
  return {
    id: `event-${number}`,
    invocationId: 'e-1',
    author: 'root_agent',
    timestamp: 1_763_829_465.399 + number / 1_000,
    content,
    actions: { stateDelta: {}, artifactDelta: {} },
    ...more,
  }
}

/** Starts it. Close it after the test. */
export async function startScriptedAdk(): Promise<ScriptedAdk> {
  const runs: AskedRun[] = []
  const created: AskedRun[] = []
  const sessions = new Set<string>()
  let next: (run: AskedRun) => void | Promise<void> = say(spoken('Hello!'))
  let numbered = 0

  const server = createServer((request, response) => void serve(request, response))
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const path = request.url ?? '/'
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    const run = { path, headers: request.headers, body, response, gone: once(response, 'close') } as AskedRun
    if (path === '/list-apps') return json(response, 200, ['the-only-app'])
    const session = /^\/apps\/[^/]+\/users\/[^/]+\/sessions\/([^/]+)$/.exec(path)?.[1]
    if (session !== undefined) {
      if (sessions.has(session)) return json(response, 409, { detail: 'Session already exists' })
      sessions.add(decodeURIComponent(session))
      created.push(run)
      return json(response, 200, { id: session, state: {}, events: [] })
    }
    if (path.endsWith(':query')) {
      const id = `${++numbered}`
      sessions.add(id)
      created.push(run)
      return json(response, 200, { output: { id } })
    }
    const asked = path === '/run_sse' ? run.body.sessionId : run.body.input?.session_id
    if (asked !== undefined && !sessions.has(asked)) return json(response, 404, { detail: 'Session not found' })
    runs.push(run)
    await next(run)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    runs,
    sessions,
    created,
    answer: (answer) => void (next = answer),
    async close() {
      if (!server.listening) return
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
