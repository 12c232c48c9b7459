import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AdkQuestion, type AdkTarget, AgentFailed, createAdkClient, sessionIdOf } from '@llm-eval/agents'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

interface Asked {
  path: string
  headers: IncomingMessage['headers']
  // Tests look into bodies freely.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any
}

/** A server that answers by path, with a status and JSON. */
let answers: (asked: Asked) => [number, unknown]
let asked: Asked[]
let server: ReturnType<typeof createServer>
let url = ''

beforeEach(async () => {
  asked = []
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const one = { path: request.url ?? '', headers: request.headers, body: text === '' ? null : JSON.parse(text) }
      asked.push(one)
      const [status, body] = answers(one)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

const target = (more: Partial<AdkTarget> = {}): AdkTarget => ({
  kind: 'adk',
  url,
  appName: 'demo',
  userId: 'ada',
  headers: {},
  ...more,
})
const question = (more: Partial<AdkQuestion> = {}): AdkQuestion => ({
  threadId: 'thread',
  sessionId: null,
  message: { role: 'user', parts: [{ text: 'hi' }] },
  stateDelta: null,
  headers: {},
  signal: AbortSignal.timeout(60_000),
  ...more,
})
const clientOf = (more: Partial<AdkTarget> = {}) => createAdkClient(target(more), { fetch })
const paths = () => asked.map(({ path }) => path)
const faultOf = async (answer: Promise<unknown>) => {
  const error: unknown = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof AgentFailed) return error.fault
  throw new Error('it did not fail')
}

const faultless = (work: Promise<unknown>) => work.catch(() => undefined)

describe('an api server of ADK', () => {
  it('gets a session for a thread once, then its messages, in camel case', async () => {
    answers = () => [200, {}]
    const client = clientOf()
    expect((await client.ask(question())).sessionId).toBe('thread')
    await client.ask(question({ stateDelta: { a: 1 } }))
    expect(paths()).toEqual(['/apps/demo/users/ada/sessions/thread', '/run_sse', '/run_sse'])
    expect(asked[1]?.body).toEqual({
      appName: 'demo',
      userId: 'ada',
      sessionId: 'thread',
      newMessage: { role: 'user', parts: [{ text: 'hi' }] },
      streaming: true,
    })
    expect(asked[2]?.body).toMatchObject({ stateDelta: { a: 1 } })
  })

  it.each([400, 409])('that has the session already says so with %d, and is asked in it', async (status) => {
    answers = ({ path }) => (path === '/run_sse' ? [200, {}] : [status, { detail: 'exists' }])
    expect((await clientOf().ask(question())).sessionId).toBe('thread')
  })

  it('that lost the session is given it again, once', async () => {
    answers = ({ path }) => (path === '/run_sse' ? [404, { detail: 'Session not found' }] : [200, {}])
    expect(await faultOf(clientOf().ask(question()))).toMatchObject({ code: 'http_status', status: 404 })
    expect(paths()).toEqual([
      '/apps/demo/users/ada/sessions/thread',
      '/run_sse',
      '/apps/demo/users/ada/sessions/thread',
      '/run_sse',
    ])
  })

  it('makes a session ready ahead, for which whoever asks meanwhile waits', async () => {
    answers = () => [200, {}]
    const client = clientOf()
    const [, answer] = await Promise.all([client.prepare(question({ sessionId: null })), client.ask(question())])
    expect(answer.sessionId).toBe('thread')
    await client.prepare(question())
    expect(paths()).toEqual(['/apps/demo/users/ada/sessions/thread', '/run_sse'])
  })

  it('that could not make a session ready is asked for it once more, and whoever asks is told what is wrong', async () => {
    answers = () => [503, { detail: 'busy' }]
    const client = clientOf()
    const [ready, answer] = await Promise.all([faultOf(client.prepare(question())), faultOf(client.ask(question()))])
    expect([ready.status, answer.status]).toEqual([503, 503])
    expect(paths()).toEqual(['/apps/demo/users/ada/sessions/thread', '/apps/demo/users/ada/sessions/thread'])
  })

  it('keeps nobody who leaves waiting for a session', async () => {
    const [asking, leaving] = [Promise.withResolvers<void>(), new AbortController()]
    const silent = createAdkClient(target(), {
      fetch: (_url, { signal } = {}) => {
        asking.resolve()
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))))
      },
    })
    const prepared = faultless(silent.prepare(question({ signal: leaving.signal })))
    const gone = new AbortController()
    const answer = silent.ask(question({ signal: gone.signal }))
    await asking.promise
    gone.abort(new Error('gone'))
    await expect(answer).rejects.toThrow('gone')
    leaving.abort()
    await prepared
  })

  it('with one app need not be told which; with several or none it is asked for', async () => {
    let apps: unknown = ['only']
    answers = ({ path }) => [200, path === '/list-apps' ? apps : {}]
    const client = clientOf({ appName: null })
    await client.ask(question())
    await client.ask(question({ threadId: 'other' }))
    expect(paths().filter((path) => path === '/list-apps')).toHaveLength(1)
    expect(asked.at(-1)?.body).toMatchObject({ appName: 'only' })
    apps = ['one', 'two']
    expect((await faultOf(clientOf({ appName: null }).ask(question()))).message).toContain('one, two')
    apps = { nothing: true }
    expect((await faultOf(clientOf({ appName: null }).ask(question()))).message).toContain('lists no apps')
  })

  it('shows none of our keys in what it is refused with', async () => {
    answers = ({ headers }) => [401, `who is ${String(headers.authorization)}?`]
    const credentials = () => Promise.resolve({ Authorization: 'Bearer very-secret-token' })
    const fault = await faultOf(clientOf({ credentials }).ask(question()))
    expect(asked[0]?.headers.authorization).toBe('Bearer very-secret-token')
    expect(JSON.stringify(fault)).not.toContain('very-secret-token')
  })

  it('ends with whoever asked', async () => {
    const gone = new AbortController()
    answers = () => {
      gone.abort(new Error('gone'))
      return [200, {}]
    }
    await expect(clientOf().ask(question({ signal: gone.signal }))).rejects.toThrow('gone')
  })
})

describe('the session of a thread', () => {
  it('is called as the thread, or, where no session may be called so, by a name that is made of it', () => {
    expect(sessionIdOf('thread-1_a')).toBe('thread-1_a')
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (one, other) => {
        expect(sessionIdOf(one)).toMatch(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)
        expect(sessionIdOf(one) === sessionIdOf(other)).toBe(one === other)
      }),
    )
  })
})

describe('Agent Engine', () => {
  const engine = (more: Partial<AdkTarget> = {}) => clientOf({ kind: 'agent_engine', url: `${url}/v1/e/1`, ...more })

  it('makes a session of its own, and is asked in it from then on', async () => {
    answers = ({ path }) => [200, path.endsWith(':query') ? { output: { id: '77' } } : {}]
    const client = engine({ url: `${url}/v1/e/1:streamQuery?alt=sse` })
    const { sessionId } = await client.ask(question({ stateDelta: { a: 1 } }))
    await client.ask(question({ sessionId }))
    expect(paths()).toEqual(['/v1/e/1:query', '/v1/e/1:streamQuery?alt=sse', '/v1/e/1:streamQuery?alt=sse'])
    expect(asked[0]?.body).toEqual({ class_method: 'async_create_session', input: { user_id: 'ada' } })
    expect(asked[1]?.body).toEqual({
      class_method: 'async_stream_query',
      input: {
        user_id: 'ada',
        session_id: '77',
        message: { role: 'user', parts: [{ text: 'hi' }] },
        run_config: { streaming_mode: 'sse' },
        state_delta: { a: 1 },
      },
    })
  })

  it('that lost a session makes another; other refusals are told', async () => {
    answers = ({ path, body }) => {
      if (path.endsWith(':query')) return [200, { output: { id: 'new' } }]
      return body.input.session_id === 'old' ? [400, { error: { message: 'Session old not found.' } }] : [200, {}]
    }
    expect((await engine().ask(question({ sessionId: 'old' }))).sessionId).toBe('new')
    answers = () => [403, 'no']
    expect(await faultOf(engine().ask(question({ sessionId: 'old' })))).toMatchObject({ status: 403 })
  })

  it.each([{ output: {} }, { output: { id: 7 } }, [], null])(
    'that names no session (%j) cannot be asked',
    async (said) => {
      answers = () => [200, said]
      expect(await faultOf(engine().ask(question()))).toMatchObject({ code: 'unreadable' })
    },
  )

  it('is found by its resource name', async () => {
    const seen: string[] = []
    const name = 'projects/p/locations/europe-west1/reasoningEngines/42'
    const fetched = (to: unknown) => {
      seen.push(String(to))
      return Promise.resolve(Response.json({ output: { id: '1' } }))
    }
    await createAdkClient(target({ kind: 'agent_engine', url: name }), { fetch: fetched }).ask(question())
    expect(seen).toEqual([
      `https://europe-west1-aiplatform.googleapis.com/v1/${name}:query`,
      `https://europe-west1-aiplatform.googleapis.com/v1/${name}:streamQuery?alt=sse`,
    ])
  })
})
