// An agent of ADK that says words at a pace, each with the moment at which it was said. With the address of such an agent and a
// file: a proxy that passes the same stream on and does nothing else; and, at /durable, one that writes each question to the
// file and waits for the disk before. Sends { port } when it listens.
import { open } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const [upstream, file] = process.argv.slice(2)
const log = file === undefined ? undefined : await open(file, 'a')

const server = createServer((asked, answer) => void (upstream === undefined ? speak : proxy)(asked, answer))
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))

async function proxy(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const question = await bodyOf(asked)
  if (asked.url === '/durable') {
    await log?.appendFile(question)
    await log?.datasync()
  }
  const headers = { 'content-type': 'application/json' }
  const passed = request(`${upstream}/run_sse`, { method: 'POST', headers }, (said) => {
    answer.writeHead(said.statusCode ?? 502, said.headers).flushHeaders()
    said.pipe(answer)
  })
  passed.end(question)
}

async function bodyOf(asked: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of asked) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** The words of the question say how many events, and how many milliseconds lie between them. */
async function speak(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const question = await bodyOf(asked)
  if (asked.url !== '/run_sse') return void answer.setHeader('content-type', 'application/json').end('{"id":"s"}')
  const body = JSON.parse(question.toString()) as { newMessage: { parts: { text: string }[] } }
  const [events = 1, ms = 0] = (body.newMessage.parts[0]?.text ?? '').split(' ').map(Number)
  answer.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  answer.socket?.setNoDelay(true)
  const id = crypto.randomUUID()
  let whole = ''
  for (let at = 0; at < events; at++) {
    const text = `${process.hrtime.bigint()} `
    whole += text
    answer.write(frame(id, text, { partial: true }))
    if (ms > 0) await pause(ms)
  }
  answer.end(frame(id, whole, { finishReason: 'STOP' }))
}

function frame(id: string, text: string, more: object): string {
  const event = {
    modelVersion: 'bench',
    content: { parts: [{ text }], role: 'model' },
    ...more,
    invocationId: `e-${id}`,
    author: 'root_agent',
    actions: { stateDelta: {}, artifactDelta: {}, requestedAuthConfigs: {}, requestedToolConfirmations: {} },
    id,
    timestamp: Date.now() / 1000,
  }
  return `data: ${JSON.stringify(event)}\n\n`
}
