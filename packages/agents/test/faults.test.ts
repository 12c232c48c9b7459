import { generateKeyPairSync } from 'node:crypto'
import { createServer as createTcp, type AddressInfo } from 'node:net'
import { createServer as createTls } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { limits } from '@llm-eval/protocol'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Agent, ask } from '../src/index.ts'
import { answering, lines, options, type Script, scriptedAgent, traceOf } from './scripted-agent.ts'

const query = [{ query: 'Hello' }]
const end = { type: 'message_complete', data: { content: 'done' } }

/** What comes of an agent that answers by a script. */
async function asked(script: Script, agent: Partial<Agent> = {}) {
  const { url, got } = await scriptedAgent(script)
  return { trace: await ask({ url, retries: 0, ...agent }, query, options()), got }
}

describe('an agent that is not to be had', () => {
  test('because nothing listens there is named so, with what to do', async () => {
    const closed = createTcp().listen(0, '127.0.0.1')
    await new Promise((resolve) => closed.once('listening', resolve))
    const { port } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    const trace = await ask({ url: `http://127.0.0.1:${port}/`, retries: 0 }, query, options())
    expect(trace.fault).toEqual({
      code: 'refused',
      message: `Nothing listens at 127.0.0.1:${port}. Start the agent, or mend its address.`,
    })
    expect(trace).toMatchObject({ dialect: null, captured: [], output: '', cost: null, tokens: null })
  })

  test('because nobody knows its name', async () => {
    const trace = await ask({ url: 'http://no-such-agent.invalid/', retries: 0 }, query, options())
    expect(trace.fault?.code).toBe('dns')
    expect(trace.fault?.message).toContain('no-such-agent.invalid')
  })

  test('because it does not speak TLS, or has a certificate that nobody trusts', async () => {
    const plain = await scriptedAgent(answering('{"response":"x"}'))
    const spoken = await ask({ url: plain.url.replace('http:', 'https:'), retries: 0 }, query, options())
    expect(spoken.fault?.code).toBe('tls')
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
    const server = createTls({ key }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const trace = await ask({ url: `https://127.0.0.1:${port}/`, retries: 0 }, query, options())
    expect(trace.fault?.code).toBe('tls')
  })

  test('because its address may not be asked from here', async () => {
    const refusal = Object.assign(new Error('10.0.0.1 is no public address'), { name: 'AddressRefused' })
    const fetch = () => Promise.reject(refusal)
    const trace = await ask({ url: 'http://10.0.0.1/' }, query, options({ fetch }))
    expect(trace.fault?.code).toBe('blocked_address')
  })

  test('because its address is none, or names a variable that is not set', async () => {
    const nowhere = await ask({ url: 'nowhere' }, query, options())
    expect(nowhere.fault?.code).toBe('invalid_request')
    const unset = await ask({ url: 'http://a.test/{{env.MISSING}}' }, query, options())
    expect(unset.fault?.message).toContain('env.MISSING')
  })
})

describe('an agent that refuses', () => {
  test('is quoted with its status and the beginning of what it said, on one line', async () => {
    const { trace, got } = await asked((answer) => {
      answer.writeHead(400).end('{\n"detail": "no \u001b[31mquery\u001b[0m"}')
    })
    expect(trace.fault).toMatchObject({ code: 'http_status', status: 400, excerpt: '{ "detail": "no [31mquery [0m"}' })
    expect(got).toHaveLength(1)
  })

  test.each([429, 500, 503])('with status %i is asked again, and counts as answered when it does', async (status) => {
    const { trace, got } = await asked(
      (answer, _got, nth) => void (nth < 3 ? answer.writeHead(status).end('busy') : answer.end('{"response":"now"}')),
      { retries: 2 },
    )
    expect(trace).toMatchObject({ output: 'now', fault: null, turns: [{ attempts: 3 }] })
    expect(got).toHaveLength(3)
  })

  test('with a status that will not change is not asked again', async () => {
    const { got } = await asked((answer) => void answer.writeHead(404).end(), { retries: 5 })
    expect(got).toHaveLength(1)
  })

  test('until a moment is asked again then, and no earlier', async () => {
    const waits: number[] = []
    const clock = { now: () => 0, wait: (ms: number) => Promise.resolve(void waits.push(ms)) }
    const { url } = await scriptedAgent(
      (answer, _got, nth) =>
        void (nth < 3
          ? answer.writeHead(429, nth === 1 ? { 'retry-after': '7' } : {}).end()
          : answer.end('{"response":"x"}')),
    )
    const trace = await ask({ url }, query, options({ clock, random: () => 1 }))
    expect(trace.output).toBe('x')
    expect(waits).toEqual([7_000, 1_000])
  })

  test('is waited for, and its time does not count as that of the answer', async () => {
    let time = 0
    const { url } = await scriptedAgent((answer, _got, nth) => {
      if (nth === 1) answer.writeHead(429, { 'retry-after': '30' }).end()
      else answer.end('{"response": "now"}')
    })
    const wait = (ms: number) => Promise.resolve(void (time += ms))
    const trace = await ask({ url }, query, options({ clock: { now: () => time, wait } }))
    expect(trace).toMatchObject({ output: 'now', latency_ms: 0, turns: [{ attempts: 2, latency_ms: 0 }] })
    expect(time).toBe(30_000)
  })

  test('for longer than there is time is not waited for', async () => {
    const { trace, got } = await asked((answer) => void answer.writeHead(429, { 'retry-after': '999' }).end(), {
      retries: 3,
      timeoutMs: 20_000,
    })
    expect(trace.fault?.status).toBe(429)
    expect(got).toHaveLength(1)
  })
})

describe('an agent that leads elsewhere', () => {
  test('within its origin, keeping the message, is followed', async () => {
    const { trace, got } = await asked((answer, { path }) => {
      if (path === '/new') answer.end('{"response":"here"}')
      else answer.writeHead(307, { location: '/new' }).end()
    })
    expect(trace.output).toBe('here')
    expect(got.map(({ body }) => body['message'])).toEqual(['Hello', 'Hello'])
  })

  test.each([
    ['in a circle', 307, '/api/chat'],
    ['to another host, which gets nothing', 307, 'http://127.0.0.2:1/'],
    ['where the message is dropped', 302, '/new'],
    ['nowhere', 304, undefined],
  ])('%s is not followed', async (_how, status, location) => {
    const { trace, got } = await asked((answer) => void answer.writeHead(status, location ? { location } : {}).end())
    expect(trace.fault?.code).toBe('redirect')
    expect(got.length).toBeLessThanOrEqual(6)
  })
})

describe('an agent that takes too long', () => {
  const soon = { timeoutMs: 300 }

  const slow: [string, Script][] = [
    ['never answers', () => undefined],
    ['never says more', (answer) => void answer.write(lines({ type: 'token', data: { token: 'Half' } }))],
    [
      'says a byte at a time',
      (answer) => {
        const timer = setInterval(() => answer.write(' '), 20)
        answer.once('close', () => clearInterval(timer))
      },
    ],
  ]
  test.each(slow)('because it %s is given up at its time', async (_how, script) => {
    const { trace } = await asked(script, soon)
    expect(trace.fault).toEqual({
      code: 'timeout',
      message: 'No whole answer within 0.3 s. Bound what the agent refines, or give it more time (timeout).',
    })
  })

  test('keeps what it had said until then', async () => {
    const { trace } = await asked(
      (answer) => {
        answer.write(
          lines(
            { type: 'tool_call', data: { name: 'search', args: { q: 1 } } },
            { type: 'usage', data: { input_tokens: 5, output_tokens: 1, cost: 0.5 } },
            { type: 'token', data: { token: 'Half' } },
          ),
        )
      },
      { timeoutMs: 3_000 },
    )
    expect(trace).toMatchObject({ output: 'Half', cost: 0.5, level: 3, fault: { code: 'timeout' } })
    expect(trace.tool_calls).toMatchObject([{ name: 'search', result: null, succeeded: null }])
  })

  test('to close is not waited for, once its message is complete', async () => {
    const { trace } = await asked((answer) => void answer.write(lines(end)))
    expect(trace).toMatchObject({ output: 'done', fault: null })
    expect(trace.warnings).toEqual(['The agent did not close its stream after `message_complete`: end the response.'])
  })

  test('for who asks is given up with their reason', async () => {
    const asking = new AbortController()
    const { url } = await scriptedAgent(() => asking.abort(new Error('enough')))
    await expect(ask({ url }, query, options({ signal: asking.signal }))).rejects.toThrow('enough')
  })
})

describe('an agent whose stream breaks', () => {
  const call = { type: 'tool_call', data: { name: 'search', args: {} } }

  test('in the middle of a line keeps the lines before it', async () => {
    const { trace } = await asked((answer) => {
      answer.write(`${lines(call)}{"type": "tool_res`, () => answer.destroy())
    })
    expect(trace).toMatchObject({ fault: { code: 'cut_off' }, tool_calls: [{ name: 'search' }] })
  })

  test('properly, but without saying that it is complete', async () => {
    const trace = await traceOf(lines(call, { type: 'token', data: { token: 'Al' } }))
    expect(trace).toMatchObject({ output: 'Al', fault: { code: 'cut_off' } })
    expect(trace.fault?.message).toContain('message_complete')
  })

  test('at a line that is no JSON, which is named', async () => {
    const trace = await traceOf(`${lines(call)}oops\n${lines(end)}`)
    expect(trace.fault).toMatchObject({ code: 'invalid_json', line: 2, excerpt: 'oops' })
  })

  test('with an error of its own has failed, whatever it says after', async () => {
    const failure = { type: 'error', data: { message: 'no model' } }
    const trace = await traceOf(lines(call, failure, end))
    expect(trace.fault).toEqual({ code: 'agent_error', message: 'The agent reported a failure: no model' })
    expect(trace.tool_calls).toHaveLength(1)
  })

  test.each([
    [{ type: 'error', error: 'flat' }, 'flat'],
    [{ type: 'error', message: 'flat' }, 'flat'],
    [{ type: 'error', data: { error: { message: 'deep' } } }, 'deep'],
    [{ type: 'error' }, 'it did not say why'],
  ])('with an error in the form %j is understood', async (event, message) => {
    expect((await traceOf(lines(event))).fault?.message).toBe(`The agent reported a failure: ${message}`)
  })

  test('with results that no call asked for is told so', async () => {
    const trace = await traceOf(lines({ type: 'tool_result', data: { id: 'x', result: 1 } }, end))
    expect(trace).toMatchObject({ fault: null, tool_calls: [] })
    expect(trace.warnings.join(' ')).toContain('without its call')
  })

  test.each([
    null,
    7,
    'text',
    [1],
    { type: 7 },
    { data: null },
    { type: 'tool_call', data: null },
    { type: 'usage', data: 'x' },
  ])('by an event such as %j goes on', async (event) => {
    expect(await traceOf(lines({ type: 'status' }, event, end))).toMatchObject({ output: 'done', fault: null })
  })
})

describe('an answer', () => {
  test.each([
    ['a page', '<!doctype html><title>Not found</title>', 'text/html', 'unreadable'],
    ['a page under another name', '<html>', 'application/json', 'unreadable'],
    ['nothing', '', 'application/json', 'unreadable'],
    ['JSON without an answer', '{"ok": true}', 'application/json', 'unreadable'],
    ['a bare number', '7', 'application/json', 'unreadable'],
    ['broken JSON', '{\n"response": "x",\n}', 'application/json', 'invalid_json'],
    ['words under the name of JSON', 'hello', 'application/json', 'invalid_json'],
    ['an error', '{"error": "no"}', 'application/json', 'agent_error'],
  ])('that is %s is a failure with a name', async (...[, body, contentType, code]) => {
    expect((await traceOf(body, { contentType })).fault?.code).toBe(code)
  })

  test('of broken JSON says in which line', async () => {
    expect((await traceOf('{\n"response": "x",\n}')).fault).toMatchObject({ line: 3 })
  })

  test('without an answer says what was there instead, and keeps what was measured', async () => {
    const trace = await traceOf('{"verdict": "x", "cost": 2, "steps": ["a"]}')
    expect(trace).toMatchObject({ cost: 2, tool_calls: [{ name: 'a' }] })
    expect(trace.fault?.message).toContain('Its fields are verdict, cost, steps.')
  })

  test('that is no UTF-8 is refused', async () => {
    const trace = await traceOf(
      Buffer.concat([Buffer.from('{"response": "'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
    )
    expect(trace.fault?.code).toBe('invalid_encoding')
  })

  test('that is compressed is understood', async () => {
    const { trace } = await asked((answer) => {
      answer.setHeader('content-encoding', 'gzip').end(gzipSync('{"response": "small"}'))
    })
    expect(trace.output).toBe('small')
  })

  test('that grows beyond its limit is given up, though it was compressed', async () => {
    const bomb = gzipSync(Buffer.alloc(limits.agentAnswerBytes + 1, ' '))
    const { trace } = await asked((answer) => void answer.setHeader('content-encoding', 'gzip').end(bomb))
    expect(trace.fault?.code).toBe('too_large')
  })

  test('without an end is given up at its limit', async () => {
    const chunk = lines({ type: 'status', data: { text: 'x'.repeat(64 * 1024) } })
    const { trace } = await asked((answer) => {
      const more = () => {
        while (!answer.destroyed && answer.write(chunk));
      }
      answer.on('drain', more)
      more()
    })
    expect(trace.fault?.code).toBe('too_large')
    expect(trace.notes).toHaveLength(limits.agentNotes)
  })

  test('with a line that never ends is given up', async () => {
    const { trace } = await asked((answer) => {
      answer.write(lines({ type: 'status' }))
      answer.end('x'.repeat(limits.agentLineChars + 1))
    })
    expect(trace.fault?.code).toBe('too_large')
  })

  test('may be as long as its limit, and not one character more', async () => {
    const words = (chars: number) => traceOf(JSON.stringify({ response: 'x'.repeat(chars) }))
    const most = await words(limits.agentOutputChars)
    expect([most.fault, most.output.length]).toEqual([null, limits.agentOutputChars])
    expect((await words(limits.agentOutputChars + 1)).fault?.code).toBe('too_large')
  })

  test('that refuses is quoted up to a limit, and with a mark beyond it', async () => {
    const quoted = async (chars: number) =>
      (await asked((answer) => void answer.writeHead(400).end('x'.repeat(chars)))).trace.fault?.excerpt
    expect(await quoted(limits.agentExcerptChars)).toBe('x'.repeat(limits.agentExcerptChars))
    expect(await quoted(limits.agentExcerptChars + 1)).toBe(`${'x'.repeat(limits.agentExcerptChars - 1)}…`)
  })

  test('may call as many tools as its limit, and not one more', async () => {
    const call = lines({ type: 'tool_call', data: { name: 'again', args: {} } })
    const most = await traceOf(call.repeat(limits.agentToolCalls) + lines(end))
    expect([most.fault, most.tool_calls.length]).toEqual([null, limits.agentToolCalls])
    const more = await traceOf(call.repeat(limits.agentToolCalls + 1) + lines(end))
    expect([more.fault?.code, more.tool_calls.length]).toEqual(['too_many_events', limits.agentToolCalls])
  })

  test('may hold as many events as its limit, and not one more', async () => {
    const event = '{"type":"status"}\n'
    const most = await traceOf(event.repeat(limits.agentEvents - 1) + lines(end))
    expect(most.fault).toBeNull()
    const more = await traceOf(event.repeat(limits.agentEvents) + lines(end))
    expect(more.fault?.code).toBe('too_many_events')
  })
})
