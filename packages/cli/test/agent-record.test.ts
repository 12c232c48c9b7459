import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { readCases, writeCases } from '@llm-eval/formats'
import * as fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Exchange, Recording, recordingLimits } from '../src/agents/recording.ts'
import { createRecordingProxy, keptBytes, type Passed } from '../src/agents/recording-proxy.ts'
import { place } from './agents.ts'
import { llmEval, start } from './stage.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

/** A server on loopback, gone when the test is over. */
async function listening(handler: Handler): Promise<string> {
  const server = createServer(handler)
  const ready = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', ready.resolve)
  await ready.promise
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A recording proxy before an agent, and what it saw. */
async function proxied(handler: Handler) {
  const target = await listening(handler)
  const seen: Passed[] = []
  const failures: string[] = []
  const proxy = createRecordingProxy({
    target: new URL(target),
    onPassed: (passed) => seen.push(passed),
    onFailed: (_path, message) => failures.push(message),
  })
  const ready = Promise.withResolvers<void>()
  proxy.listen(0, '127.0.0.1', ready.resolve)
  await ready.promise
  onTestFinished(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, target, seen, failures }
}

const within = { timeout: 20_000 }

describe('the recording proxy', () => {
  test('hands requests and answers on as they are, but for what is about one connection only', async () => {
    const heads: IncomingMessage[] = []
    const { url, target, seen } = await proxied((asked, answer) => {
      heads.push(asked)
      return text(asked).then((body) => {
        answer.writeHead(
          201,
          'Made',
          [
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
            ['connection', 'x-hop'],
            ['x-hop', 'gone'],
            ['x-kept', 'yes'],
          ].flat(),
        )
        return answer.end(`heard ${body}`)
      })
    })
    const answered = Promise.withResolvers<IncomingMessage>()
    const headers = {
      authorization: 'Bearer abc',
      connection: 'close, x-mine',
      'x-mine': 'gone',
      'x-other': 'here',
      te: 'trailers',
    }
    request(`${url}/api/chat?x=1`, { method: 'POST', headers }, answered.resolve).end('hello')
    const answer = await answered.promise
    expect([answer.statusCode, answer.statusMessage, await text(answer)]).toEqual([201, 'Made', 'heard hello'])
    expect(answer.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-kept': 'yes' })
    expect(answer.headers['x-hop']).toBeUndefined()
    const [head] = heads
    expect([head?.method, head?.url, head?.headers.host]).toEqual(['POST', '/api/chat?x=1', new URL(target).host])
    expect(head?.headers).toMatchObject({ authorization: 'Bearer abc', 'x-other': 'here' })
    expect([head?.headers['x-mine'], head?.headers.te]).toEqual([undefined, undefined])
    await expect
      .poll(() => seen, within)
      .toMatchObject([{ path: '/api/chat?x=1', asked: 'hello', answered: 'heard hello' }])
  })

  test('a stream goes through piece by piece, before it is over', async () => {
    const open: ServerResponse[] = []
    const { url } = await proxied((_asked, answer) => {
      open.push(answer)
      answer.write('first ')
    })
    const { body } = await fetch(url)
    const reader = body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('first ')
    open[0]?.end('last')
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('last')
  })

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('an answer in %s goes through as it is, and is read', async (encoding, compress) => {
    const { url, seen } = await proxied((_asked, answer) => {
      answer.writeHead(200, { 'content-encoding': encoding }).end(compress('plain words'))
    })
    const { headers, text: read } = await fetch(url).then(async (answer) => ({
      headers: answer.headers,
      text: await answer.text(),
    }))
    expect([headers.get('content-encoding'), read]).toEqual([encoding, 'plain words'])
    await expect.poll(() => seen.map(({ answered }) => answered), within).toEqual(['plain words'])
  })

  test('what is larger than is kept goes through whole, and a bomb is not unpacked', async () => {
    const { url, seen } = await proxied((asked, answer) => {
      if (asked.url === '/bomb')
        return void answer
          .writeHead(200, { 'content-encoding': 'gzip' })
          .end(gzipSync(Buffer.alloc(keptBytes.answer + 1)))
      answer.end(Buffer.alloc(Number(asked.url?.slice(1)), 'x'))
    })
    const length = async (path: string) => (await (await fetch(`${url}${path}`)).arrayBuffer()).byteLength
    expect(await length(`/${keptBytes.answer}`)).toBe(keptBytes.answer)
    expect(await length(`/${keptBytes.answer + 1}`)).toBe(keptBytes.answer + 1)
    expect(await length('/bomb')).toBe(keptBytes.answer + 1)
    await expect
      .poll(() => seen.map(({ answered }) => answered?.length ?? null), within)
      .toEqual([keptBytes.answer, null, null])
  })

  test('an agent that is away is a 502, one that breaks off breaks off, and neither is recorded', async () => {
    const { url, seen, failures } = await proxied((asked, answer) => {
      if (asked.url === '/begin') return void answer.write('beg', () => answer.destroy())
      answer.destroy()
    })
    const away = await fetch(url)
    expect([away.status, await away.json()]).toEqual([
      502,
      { error: expect.stringContaining('cannot be reached') as string },
    ])
    await expect(fetch(`${url}/begin`).then((answer) => answer.text())).rejects.toThrow()
    await expect.poll(() => failures.length, within).toBe(2)
    expect(seen).toEqual([])
  })

  test('a path that names another host leads nowhere else', async () => {
    const asked: (string | undefined)[] = []
    const { url } = await proxied((head, answer) => {
      asked.push(head.url)
      answer.end()
    })
    const { port } = new URL(url)
    const status = (path: string) =>
      new Promise((resolve) => request({ port, host: '127.0.0.1', path }, (answer) => resolve(answer.statusCode)).end())
    expect([await status('//elsewhere.example/x'), await status('http://elsewhere.example/')]).toEqual([200, 400])
    expect(asked).toEqual(['//elsewhere.example/x'])
  })
})

const answered = (output: string, tools: string[] = [], sessionId: string | null = null): Exchange['answer'] => ({
  dialect: 'json',
  output,
  toolCalls: tools.map((name) => ({
    id: null,
    name,
    args: null,
    result: null,
    succeeded: null,
    error: null,
    started_ms: null,
    ended_ms: null,
    turn: 1,
  })),
  captured: ['output'],
  sessionId,
  fault: null,
})
const asked = (query: string, more: Partial<Exchange['asked']> = {}): Exchange['asked'] => ({
  query,
  history: [],
  sessionId: null,
  context: null,
  ...more,
})

function recorded(...exchanges: Exchange[]) {
  const recording = new Recording()
  for (const exchange of exchanges) recording.add(exchange)
  return recording.cases()
}

describe('what is recorded', () => {
  test('proposes tools, their order, and what question and answer have in common', () => {
    const [one] = recorded({
      asked: asked('Compare AAPL and MSFT for 2024'),
      answer: answered('AAPL beats it in 2024.', ['quote', 'quote', 'compare']),
    })
    expect(one).toMatchObject({
      input: { query: 'Compare AAPL and MSFT for 2024' },
      expected: {
        tools: ['quote', 'compare'],
        tool_sequence: ['quote', 'quote', 'compare'],
        output: { contains: ['AAPL', '2024'] },
      },
    })
  })

  test('finds a conversation again by its session, by that of the answer, and by what was said before', () => {
    const bySession = recorded(
      { asked: asked('one', { sessionId: 's' }), answer: answered('a') },
      { asked: asked('other'), answer: answered('b') },
      { asked: asked('two', { sessionId: 's' }), answer: answered('c') },
    )
    expect(bySession).toMatchObject([{ turns: [{ query: 'one' }, { query: 'two' }] }, { input: { query: 'other' } }])
    const byAnswer = recorded(
      { asked: asked('one'), answer: answered('a', [], 'r1') },
      { asked: asked('two', { sessionId: 'r1' }), answer: answered('b', [], 'r2') },
      { asked: asked('three', { sessionId: 'r2' }), answer: answered('c') },
    )
    expect(byAnswer).toMatchObject([{ turns: [{ query: 'one' }, { query: 'two' }, { query: 'three' }] }])
    const history = [
      { role: 'user' as const, content: 'one' },
      { role: 'assistant' as const, content: 'a' },
    ]
    const byHistory = recorded(
      { asked: asked('one'), answer: answered('a') },
      { asked: asked('two', { history }), answer: answered('b') },
    )
    expect(byHistory).toMatchObject([{ turns: [{ query: 'one' }, { query: 'two' }] }])
  })

  test('says the same once, with what was so each time', () => {
    const cases = recorded(
      { asked: asked('Is AAPL up?'), answer: answered('AAPL is.', ['quote', 'news']) },
      { asked: asked('Is AAPL up?'), answer: answered('It is.', ['quote']) },
    )
    expect(cases).toEqual([expect.objectContaining({ meta: { seen: 2 }, expected: { tools: ['quote'] } })])
  })

  test('holds no secret', () => {
    const secrets = [
      'sk-proj-abcdefghijklmnop1234',
      'ghp_abcdefghijklmnopqrstuvwxyz',
      'AKIAABCDEFGHIJKLMNOP',
      'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc',
      'Bearer abcdefghijklmnop',
      'password: hunter2',
      'api_key=topsecret',
    ]
    const context = {
      authorization: 'hidden1',
      nested: [{ api_key: 'hidden2', cookie: 'hidden3', plan: 'pro' }],
      accessToken: 'hidden4',
    }
    const cases = recorded(
      ...secrets.map((secret) => ({ asked: asked(`Use ${secret} now`, { context }), answer: answered('ok') })),
    )
    const written = writeCases(cases, 'x')
    for (const secret of [...secrets, 'hunter2', 'topsecret', 'hidden']) expect(written).not.toContain(secret)
    expect(written).toContain('pro')
  })

  test('is bounded, and counts what is beyond', () => {
    const recording = new Recording()
    const add = (query: string, sessionId: string | null = null) =>
      recording.add({ asked: asked(query, { sessionId }), answer: answered('a') })
    for (let turn = 0; turn < recordingLimits.turns; turn++) add(`turn ${turn}`, 's')
    expect(recording.beyond).toBe(0)
    add('one more', 's')
    expect(recording.beyond).toBe(1)
    for (let one = 1; one < recordingLimits.conversations; one++) add(`conversation ${one}`)
    expect(recording.beyond).toBe(1)
    add('one more')
    expect(recording.beyond).toBe(2)
    expect(recording.cases()).toHaveLength(recordingLimits.conversations)
  })

  test('can be read back as cases, whatever was said', { timeout: 240_000 }, () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.constantFrom(
        '${HOME}',
        '$${X}',
        '{{query}}',
        '*a',
        '&a',
        '- x',
        '? x',
        '# x',
        '%YAML',
        '---',
        '\u0000\u0085\u2028',
        '~',
        'null',
        '12',
        'a: b',
        "'",
        '<<',
      ),
    )
    const query = fc.tuple(anything, anything).map(([a, b]) => `x${a}\n${b}`)
    const exchange = fc.record({
      asked: fc.record({
        query,
        history: fc.constant<Exchange['asked']['history']>([]),
        sessionId: fc.option(fc.constantFrom('s', 't')),
        context: fc.option(fc.dictionary(anything, fc.oneof(anything, fc.integer(), fc.array(anything)))),
      }),
      answer: fc.tuple(anything, fc.array(anything)).map(([output, tools]) => answered(output, tools)),
    })
    fc.assert(
      fc.property(fc.array(exchange, { minLength: 1, maxLength: 8 }), (exchanges) => {
        const cases = recorded(...exchanges)
        const options = { file: 'recorded.yaml', suite: 's', env: {}, evalview: false }
        const { cases: read, problems } = readCases(writeCases(cases, 'Recorded.'), options)
        expect(problems).toEqual([])
        expect(read.map(({ turns }) => turns.map((turn) => turn.query))).toEqual(
          cases.map(({ input, turns }) => (turns ?? [input]).map((turn) => turn?.query)),
        )
        for (const [index, one] of cases.entries()) {
          const tools = one.turns
            ? read[index]?.turns.map((turn) => turn.expected?.tools ?? [])
            : [read[index]?.expected.tools]
          expect(tools).toEqual((one.turns ?? [one]).map((turn) => turn.expected?.tools ?? []))
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('llm-eval record', () => {
  test('writes what went through as cases that pass', { timeout: 120_000 }, async () => {
    const agent = await listening((head, answer) => {
      return text(head).then((body) => {
        const { message } = JSON.parse(body) as { message: string }
        const events = [
          { type: 'tool_call', data: { name: 'quote', args: {} } },
          { type: 'message_complete', data: { content: `AAPL, as you said: ${message}` } },
        ]
        return answer.end(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
      })
    })
    const cwd = place({})
    const command = start(['record', '--agent', `${agent}/api/chat`, '--port', '0'], { cwd })
    await command.says('Ctrl-C writes')
    const [, url = ''] = /Send your client to (\S+)/.exec(command.err()) ?? []
    for (const message of ['How is AAPL?', 'And now?']) {
      const body = JSON.stringify({ message, session_id: 's' })
      await (await fetch(url, { method: 'POST', headers: { authorization: 'Bearer hush' }, body })).text()
    }
    await command.says('recorded  And now?')
    command.child.kill('SIGINT')
    const { code, out } = await command.ended
    expect([code, out]).toEqual([0, expect.stringContaining('1 cases of 2 exchanges in agent-tests/recorded.yaml.')])
    const written = readFileSync(join(cwd, 'agent-tests/recorded.yaml'), 'utf8')
    expect(written).not.toContain('hush')
    const tested = await llmEval(['test', '--agent', agent], { cwd })
    expect([tested.code, tested.err]).toEqual([0, ''])
    const again = await llmEval(['record', '--agent', agent, '--port', '0'], { cwd })
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('is there already')])
  })

  test('writes nothing when nothing was said, and refuses nonsense and a port that is taken', async () => {
    const agent = await listening((_head, answer) => void answer.end())
    const cwd = place({})
    const controller = new AbortController()
    controller.abort()
    const none = await llmEval(['record', '--agent', agent, '--port', '0'], { cwd, signal: controller.signal })
    expect([none.code, none.out]).toEqual([1, expect.stringContaining('Nothing was recorded')])
    expect(existsSync(join(cwd, 'agent-tests/recorded.yaml'))).toBe(false)
    expect((await llmEval(['record', '--agent', 'nowhere'], { cwd })).code).toBe(2)
    const taken = await llmEval(['record', '--agent', agent, '--port', new URL(agent).port], { cwd })
    expect([taken.code, taken.err]).toEqual([2, expect.stringContaining('is taken')])
  })
})

describe('llm-eval quarantine', () => {
  const cases = 'cases:\n  - {name: Price, query: x}\n  - {name: Compare, query: y}\n'
  const told = ['--owner', 'Ada', '--reason', 'The backend moves.', '--until', '14d']

  test('a case is put there, shown and taken out again', async () => {
    const cwd = place({ 'agent-tests/a.yaml': cases })
    const run = (...args: string[]) => llmEval(['quarantine', ...args], { cwd })
    expect((await run('list')).out).toContain('No case is in quarantine.')
    expect((await run('add', 'Price', ...told)).out).toContain('Price does not count until ')
    expect((await run('add', 'Compare', ...told)).code).toBe(0)
    // Once more is a new end, and no second entry.
    expect((await run('add', 'Price', ...told.slice(0, -1), '20d')).code).toBe(0)
    const file = join(cwd, 'agent-tests/baselines/quarantine.json')
    const read = () => JSON.parse(readFileSync(file, 'utf8')) as { case_id: string; owner: string }[]
    expect(read()).toMatchObject([{ owner: 'Ada' }, { owner: 'Ada' }])
    expect((await run('list')).out).toMatch(/Compare {2}.*Ada[\s\S]*Price {4}.*The backend moves\./)
    expect((await run('remove', 'Compare')).out).toContain('Compare counts again.')
    expect(read()).toMatchObject([{ case_id: expect.stringMatching(/^price-/) as string }])
    expect((await run('remove', 'Compare')).code).toBe(2)
  })

  test.each<[string, string[]]>([
    ['owner', ['--reason', 'r', '--until', '3d']],
    ['reason', ['--owner', 'o', '--until', '3d']],
    ['end', ['--owner', 'o', '--reason', 'r']],
    ['owner with a name', ['--owner', ' ', '--reason', 'r', '--until', '3d']],
    ['end within 90 days', ['--owner', 'o', '--reason', 'r', '--until', '91d']],
    ['end that is ahead', ['--owner', 'o', '--reason', 'r', '--until', '2020-01-01']],
    ['end that is one', ['--owner', 'o', '--reason', 'r', '--until', 'some day']],
  ])('without an %s nothing is written', async (_what, args) => {
    const cwd = place({ 'agent-tests/a.yaml': cases })
    expect((await llmEval(['quarantine', 'add', 'Price', ...args], { cwd })).code).toBe(2)
    expect(existsSync(join(cwd, 'agent-tests/baselines/quarantine.json'))).toBe(false)
    expect(
      (await llmEval(['quarantine', 'add', 'Price', '--owner', 'o', '--reason', 'r', '--until', '90d'], { cwd })).code,
    ).toBe(0)
  })

  test('a case that is gone can be taken out by its id, and one that never was cannot be put in', async () => {
    const cwd = place({ 'agent-tests/a.yaml': cases })
    const run = (...args: string[]) => llmEval(['quarantine', ...args], { cwd })
    await run('add', 'Price', ...told)
    writeFileSync(join(cwd, 'agent-tests/a.yaml'), 'name: Other\nquery: x\n')
    expect((await run('list')).out).toContain('a case that is gone')
    const [one] = JSON.parse((await run('list', '--json')).out) as { case_id: string }[]
    expect((await run('remove', one?.case_id ?? '')).code).toBe(0)
    const { code, err } = await run('add', 'Price', ...told)
    expect([code, err]).toEqual([2, expect.stringContaining('There is no case called Price. There are: Other.')])
  })
})
