import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { limits } from '@llm-eval/protocol'
import { expect, onTestFinished, test } from 'vitest'
import { call, event, place, said } from './agents.ts'
import { llmEval } from './stage.ts'

const lines = (...events: object[]) => events.map((one) => `${JSON.stringify(one)}\n`).join('')
const begun = lines(call('search', { q: 'a' }), event('token', { token: 'Half' }))

/** Writes something again and again, as fast as it is read. */
function without(end: ServerResponse, chunk: string): void {
  const more = () => {
    while (!end.destroyed && end.write(chunk));
  }
  end.on('drain', more)
  more()
}

/** What an agent does wrong, by what it is asked, and how that is called. */
const wrongs: Record<string, [code: string | null, does: (answer: ServerResponse) => void]> = {
  'hangs before it answers': ['timeout', () => undefined],
  'never closes': ['timeout', (answer) => void answer.write(begun)],
  'never closes after its message': [null, (answer) => void answer.write(begun + lines(said('Half of it')))],
  'sends half a line': ['cut_off', (answer) => void answer.write(`${begun}{"type": "tool_res`, () => answer.destroy())],
  'ends with half a line': ['invalid_json', (answer) => void answer.end(`${begun}{"type": "tool_res`)],
  'sends invalid UTF-8': [
    'invalid_encoding',
    (answer) => void answer.end(Buffer.concat([Buffer.from(begun), Buffer.from([0xff, 0xfe, 0x0a])])),
  ],
  'sends a gigabyte': ['too_large', (answer) => without(answer, lines(event('status', { text: 'x'.repeat(1 << 20) })))],
  'calls a million tools': ['too_many_events', (answer) => without(answer, lines(call('search')).repeat(1_000))],
  'sends events without end': ['too_many_events', (answer) => without(answer, '{"type":"status"}\n'.repeat(5_000))],
  'tells events out of order': [
    null,
    (answer) =>
      void answer.end(
        lines(
          event('tool_result', { id: 'a', result: 1 }),
          event('usage', { input_tokens: 1, output_tokens: 1 }),
          event('tool_call', { id: 'a', name: 'search', args: {} }),
          said('Half of it'),
        ),
      ),
  ],
  'tells results without calls': [
    null,
    (answer) =>
      void answer.end(
        lines(call('search'), event('tool_result', { id: 'z', name: 'nobody', result: 1 }), said('Half')),
      ),
  ],
  'answers with a page': [
    'unreadable',
    (answer) => void answer.setHeader('content-type', 'text/html').end('<!doctype html><h1>Not found</h1>'),
  ],
  'answers with a page and status 502': [
    'http_status',
    (answer) => void answer.writeHead(502).end('<h1>Bad gateway</h1>'),
  ],
  'leads on and on': ['redirect', (answer) => void answer.writeHead(307, { location: '/api/chat' }).end()],
  'names the wrong type': [
    null,
    (answer) => void answer.setHeader('content-type', 'text/event-stream').end(begun + lines(said('Half'))),
  ],
  'compresses what it says': [
    null,
    (answer) => void answer.setHeader('content-encoding', 'gzip').end(gzipSync(begun + lines(said('Half')))),
  ],
  'says that it compresses, and does not': [
    'cut_off',
    (answer) => void answer.setHeader('content-encoding', 'gzip').end('{"response": "Half"}'),
  ],
  'says a byte at a time': [
    'timeout',
    (answer) => {
      answer.write(begun)
      const timer = setInterval(() => answer.write(' '), 50)
      answer.once('close', () => clearInterval(timer))
    },
  ],
  'dies in the middle': ['cut_off', (answer) => void answer.write(begun, () => answer.destroy())],
  'dies before it answers': ['network', (answer) => void answer.destroy()],
  'fails and says so': [
    'agent_error',
    (answer) => void answer.end(begun + lines(event('error', { message: 'no model' }))),
  ],
}

interface Told {
  exit_code: number
  cases: {
    name: string
    outcome: string
    attempts: { trace: { fault: { code: string; message: string } | null; output: string; tool_calls: unknown[] } }[]
  }[]
}

test('an agent may fail in any way: each is called by its name, what came until then is kept, and the other cases go on', async () => {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { message } = JSON.parse(body) as { message: string }
      const wrong = wrongs[message]
      if (wrong) return wrong[1](response)
      return response.end(begun + lines(said('Half and half')))
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const asked = Object.keys(wrongs).flatMap((wrong) => [wrong, `is asked after one that ${wrong}`])
  const expected = { output: { contains: ['half'] }, tools: ['search'] }
  const asCase = (name: string) => ({
    name,
    query: name,
    expected,
    ...(wrongs[name]?.[0] === 'timeout' ? { timeout: 10 } : {}),
  })
  const cwd = place({
    'llm-eval.agent.json': JSON.stringify({
      agent: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/chat`, retries: 0, timeout: 250 },
    }),
    'agent-tests/wrongs.json': JSON.stringify({ cases: asked.map(asCase) }),
  })
  const { code, out } = await llmEval(['test', '--json', '--concurrency', '8'], { cwd })
  const told = JSON.parse(out) as Told
  const of = new Map(told.cases.map((one) => [one.name, { ...one, trace: one.attempts[0]?.trace }]))
  const faults = asked.map((name) => [name, of.get(name)?.trace?.fault?.code ?? null])
  expect(faults).toEqual(asked.map((name) => [name, wrongs[name]?.[0] ?? null]))
  for (const name of asked.filter((one) => !wrongs[one])) expect(of.get(name)?.outcome, name).toBe('passed')
  for (const [name, [fault]] of Object.entries(wrongs))
    expect(of.get(name)?.outcome, name).toBe(fault === null ? 'passed' : 'faulted')
  const partial = Object.keys(wrongs).filter((name) => of.get(name)?.trace?.output === 'Half')
  expect(partial).toEqual(
    expect.arrayContaining([
      'never closes',
      'sends half a line',
      'sends invalid UTF-8',
      'says a byte at a time',
      'dies in the middle',
      'fails and says so',
    ]),
  )
  expect(of.get('calls a million tools')?.trace?.tool_calls).toHaveLength(limits.agentToolCalls)
  // Something was not evaluated, and nothing failed.
  expect([code, told.exit_code]).toEqual([2, 2])
}, 300_000)
