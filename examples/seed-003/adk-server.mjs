// The agent of the source document without a model: what `adk api_server` serves, with a script in place of Gemini. It has one
// tool, find_nth_prime, and answers the same every time.
//   PORT=8001 node examples/seed-003/adk-server.mjs
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'

const app = 'agent1'
const model = 'gemini-2.5-flash'
/** What Gemini hands out with a call, to get it back; nobody else can read it. */
const signature = Buffer.from('thoughts about primes ÿÿ').toString('base64url').padEnd(36, '=')

/** Sessions by user and id. */
const sessions = new Map()

createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost')
  const answer = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (pathname === '/list-apps') return answer(200, [app])
  if (request.method === 'POST' && pathname === '/run_sse') return run(await json(request), response, answer)
  const [, name, user, id] = /^\/apps\/([^/]+)\/users\/([^/]+)\/sessions(?:\/([^/]+))?$/.exec(pathname) ?? []
  if (name !== app) return answer(404, { detail: 'Not Found' })
  const key = `${user}/${id}`
  if (request.method === 'GET') return sessions.has(key) ? answer(200, sessions.get(key)) : answer(404, { detail: 'Session not found' })
  if (sessions.has(key)) return answer(409, { detail: `Session already exists: ${id}` })
  const state = await json(request).catch(() => ({}))
  answer(200, open(user, id ?? randomUUID(), state?.state ?? state ?? {}))
}).listen(Number(process.env.PORT ?? 8001), '127.0.0.1', function () {
  console.log(`http://localhost:${this.address().port}`)
})

function open(user, id, state) {
  const session = { id, appName: app, userId: user, state, events: [], lastUpdateTime: Date.now() / 1000 }
  sessions.set(`${user}/${id}`, session)
  return session
}

async function run({ userId, sessionId, newMessage, streaming }, response, answer) {
  const session = sessions.get(`${userId}/${sessionId}`)
  if (!session) return answer(404, { detail: 'Session not found' })
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const invocationId = `e-${randomUUID()}`
  const say = (event) => {
    const whole = { ...event, invocationId, id: randomUUID(), timestamp: Date.now() / 1000 }
    if (!whole.partial) session.events.push(whole)
    response.write(`data: ${JSON.stringify(whole)}\n\n`)
  }
  session.events.push({ author: 'user', content: newMessage, invocationId, id: randomUUID(), timestamp: Date.now() / 1000 })
  const asked = (newMessage?.parts ?? []).map(({ text = '' }) => text).join(' ')
  const n = Number(/(\d+)\D*prime/i.exec(asked)?.[1] ?? Number.NaN)
  if (!(n >= 1 && n <= 1_000)) await speak(say, streaming, 'Hello! I can find prime numbers. Which one would you like to know?')
  else {
    const id = `adk-${randomUUID()}`
    const call = { functionCall: { id, name: 'find_nth_prime', args: { n } }, thoughtSignature: signature }
    say({ ...byModel({ parts: [call] }, { thoughtsTokenCount: 86, candidatesTokenCount: 12 }) })
    const result = { functionResponse: { id, name: 'find_nth_prime', response: { result: nthPrime(n) } } }
    say({ author: 'root_agent', content: { role: 'user', parts: [result] }, actions: empty() })
    await speak(say, streaming, `Prime number ${n} is ${nthPrime(n)}.`)
  }
  response.end()
}

/** In pieces where that is asked for, and then as a whole: so do models behind ADK. */
async function speak(say, streaming, text) {
  if (streaming) {
    for (const piece of text.match(/\S+\s*/g) ?? []) {
      say({ ...byModel({ parts: [{ text: piece }] }), partial: true })
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  say(byModel({ parts: [{ text }] }, { candidatesTokenCount: 14 }))
}

function byModel({ parts }, tokens) {
  const { thoughtsTokenCount = 0, candidatesTokenCount = 0 } = tokens ?? {}
  const usage = { promptTokenCount: 120, ...tokens, totalTokenCount: 120 + thoughtsTokenCount + candidatesTokenCount }
  return {
    author: 'root_agent',
    content: { role: 'model', parts },
    modelVersion: model,
    actions: empty(),
    ...(tokens && { finishReason: 'STOP', usageMetadata: usage }),
  }
}

function empty() {
  return { stateDelta: {}, artifactDelta: {}, requestedAuthConfigs: {} }
}

function nthPrime(n) {
  const primes = []
  for (let number = 2; primes.length < n; number++) if (primes.every((prime) => number % prime)) primes.push(number)
  return primes.at(-1)
}
