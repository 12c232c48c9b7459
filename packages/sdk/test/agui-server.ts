import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** A request as `HttpAgent` makes it. */
export interface AguiInput {
  threadId: string
  runId: string
  messages: { id: string; role: string; content?: unknown }[]
}

/** What an agent does with one request. */
export type AguiScript = (say: (event: object) => void, input: AguiInput, response: ServerResponse) => unknown

export interface AguiServer extends AsyncDisposable {
  readonly url: string
}

/** A real HTTP server that talks AG-UI as a test says; it ends each answer unless the test has done so. */
export async function startAguiServer(script: AguiScript): Promise<AguiServer> {
  const server = createServer((request, response) => {
    void (async () => {
      const input = (await json(request)) as AguiInput
      const say = (event: object) => void response.write(`data: ${JSON.stringify(event)}\n\n`)
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
      await script(say, input, response)
      if (!response.writableEnded) response.end()
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** An agent that calls a tool and answers, in the words of AG-UI alone; `metadata` is of its first event. */
export function primes(metadata?: object): AguiScript {
  return (say, { threadId, runId }) => {
    say({ type: 'RUN_STARTED', threadId, runId, ...(metadata && { metadata }) })
    say({ type: 'TOOL_CALL_START', toolCallId: `c-${runId}`, toolCallName: 'find_nth_prime' })
    say({ type: 'TOOL_CALL_ARGS', toolCallId: `c-${runId}`, delta: '{"n":' })
    say({ type: 'TOOL_CALL_ARGS', toolCallId: `c-${runId}`, delta: '10}' })
    say({ type: 'TOOL_CALL_END', toolCallId: `c-${runId}` })
    say({ type: 'TOOL_CALL_RESULT', messageId: `r-${runId}`, toolCallId: `c-${runId}`, content: '{"result":29}' })
    say({ type: 'TEXT_MESSAGE_START', messageId: `m-${runId}`, role: 'assistant' })
    for (const delta of ['It', ' is', ' 29.']) say({ type: 'TEXT_MESSAGE_CONTENT', messageId: `m-${runId}`, delta })
    say({ type: 'TEXT_MESSAGE_END', messageId: `m-${runId}` })
    say({ type: 'RUN_FINISHED', threadId, runId })
  }
}
