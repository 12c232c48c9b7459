import { limits, routes } from '@llm-eval/protocol'
import { streamEventsQuery } from '@llm-eval/protocol/schemas'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { mount } from '../src/http/mount.ts'
import { allSlices, firstKey, type Ground, openShelf, type Received, type Shelf, startGround } from './ground.ts'

const streams = (app: Parameters<typeof mount>[0]) => {
  mount(app, routes.streamEvents, {
    schema: { querystring: streamEventsQuery },
    handler: (request) => ({ key: request.principal.name }),
  })
}

let shelf: Shelf
let ground: Ground
let admin: string
beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())
beforeEach(async () => {
  ground = await startGround({ shelf, slices: [...allSlices, streams] })
  admin = await firstKey(ground)
})
afterEach(() => ground.close())

const cookieOf = (answer: Received) => String(answer.headers['set-cookie']).split(';', 1)[0] ?? ''
const fromOurPage = { 'sec-fetch-site': 'same-origin' }

async function signIn(body: object = { key: admin }): Promise<string> {
  const answer = await ground.send({ path: '/api/v1/session', body, headers: fromOurPage })
  expect(answer.status).toBe(200)
  return cookieOf(answer)
}

describe('a session', () => {
  it('starts with a key, and its cookie is out of reach of scripts and of other sites', async () => {
    const answer = await ground.send({ path: '/api/v1/session', body: { key: admin } })
    expect(answer.json).toEqual({
      authenticated: true,
      auth_required: true,
      name: 'first',
      project: 'default',
      scopes: ['admin'],
    })
    expect(String(answer.headers['set-cookie'])).toMatch(
      /^llm_eval_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=2592000$/,
    )
    expect(answer.text).not.toContain(admin)
  })

  it('speaks for its key from then on', async () => {
    const cookie = await signIn()
    expect((await ground.send({ path: '/api/v1/keys', headers: { cookie } })).status).toBe(200)
    expect((await ground.send({ path: '/api/v1/session', headers: { cookie: `a=b; ${cookie}; c=d` } })).json.name).toBe(
      'first',
    )
    expect((await ground.send({ path: '/api/v1/session' })).json).toMatchObject({ authenticated: false, scopes: [] })
  })

  it('does not start with a wrong key or token', async () => {
    const wrong = await ground.send({ path: '/api/v1/session', body: { key: 'llmeval_wrong' } })
    expect(wrong.json.code).toBe('invalid_key')
    const token = await ground.send({ path: '/api/v1/session', body: { token: 'x'.repeat(43) } })
    expect(token.json.code).toBe('invalid_token')
    const nothing = await ground.send({ path: '/api/v1/session', body: {} })
    expect(nothing.json.code).toBe('invalid_request')
    for (const answer of [wrong, token, nothing]) expect(answer.headers['set-cookie']).toBeUndefined()
  })

  it('changes something only at the request of our own page', async () => {
    const cookie = await signIn()
    const make = (headers: Record<string, string>) =>
      ground.send({ path: '/api/v1/keys', body: { name: 'x' }, headers: { cookie, ...headers } })
    expect((await make({})).json.code).toBe('origin_refused')
    expect((await make({ origin: 'https://evil.example' })).json.code).toBe('origin_refused')
    expect((await make({ 'sec-fetch-site': 'same-site', origin: 'http://localhost:80' })).json.code).toBe(
      'origin_refused',
    )
    expect((await make(fromOurPage)).status).toBe(201)
    expect((await make({ origin: 'http://localhost', host: 'localhost' })).status).toBe(201)
  })

  it('needs no such proof where a key speaks', async () => {
    const headers = { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' }
    expect((await ground.send({ path: '/api/v1/keys', key: admin, body: { name: 'x' }, headers })).status).toBe(201)
  })

  it('ends when its browser signs out, and not when another site asks for it', async () => {
    const cookie = await signIn()
    const leave = (headers: Record<string, string>) =>
      ground.send({ method: 'DELETE', path: '/api/v1/session', headers: { cookie, ...headers } })
    expect((await leave({ 'sec-fetch-site': 'cross-site' })).json.code).toBe('origin_refused')
    const left = await leave(fromOurPage)
    expect(left.status).toBe(204)
    expect(String(left.headers['set-cookie'])).toMatch(/^llm_eval_session=; .*Max-Age=0/)
    expect((await ground.send({ path: '/api/v1/keys', headers: { cookie } })).status).toBe(401)
  })

  it('dies with its key', async () => {
    const made = await ground.send({ path: '/api/v1/keys', key: admin, body: { name: 'x', scopes: ['read'] } })
    const cookie = await signIn({ key: made.json.key })
    const look = () => ground.send({ path: '/api/v1/settings', headers: { cookie } })
    expect((await look()).status).toBe(200)
    await ground.send({ method: 'DELETE', path: `/api/v1/keys/${made.json.id}`, key: admin })
    expect((await look()).status).toBe(401)
  })

  it('lasts thirty days', async () => {
    const cookie = await signIn()
    const look = () => ground.send({ path: '/api/v1/settings', headers: { cookie } })
    ground.clock.now += limits.sessionSeconds * 1000 - 1
    expect((await look()).status).toBe(200)
    ground.clock.now += 6_000
    expect((await look()).status).toBe(401)
  })

  it('is not for plain connections where the public URL is encrypted', async () => {
    await ground.close()
    ground = await startGround({ shelf, config: { public_url: 'https://eval.example' } })
    admin = await firstKey(ground)
    const answer = await ground.send({ path: '/api/v1/session', body: { key: admin } })
    expect(String(answer.headers['set-cookie'])).toContain('; Secure')
  })
})

describe('a sign-in link', () => {
  const issue = async () => {
    const principal = await ground.access.keys.byKey(admin)
    return ground.access.tokens.issue('signin', principal?.keyId ?? null)
  }

  it('signs in once', async () => {
    const { token } = await issue()
    const cookie = await signIn({ token })
    expect((await ground.send({ path: '/api/v1/keys', headers: { cookie } })).status).toBe(200)
    expect((await ground.send({ path: '/api/v1/session', body: { token } })).json.code).toBe('invalid_token')
  })

  it('signs in one of ten who try it at once', async () => {
    const { token } = await issue()
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => ground.send({ path: '/api/v1/session', body: { token } })),
    )
    expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1)
  })

  it('works for fifteen minutes', async () => {
    const { token } = await issue()
    ground.clock.now += limits.signinSeconds * 1000
    expect((await ground.send({ path: '/api/v1/session', body: { token } })).json.code).toBe('invalid_token')
  })
})

describe('a stream ticket', () => {
  const issue = async (headers: Record<string, string> = { authorization: `Bearer ${admin}` }) => {
    const answer = await ground.send({ method: 'POST', path: '/stream/ticket', headers })
    expect(answer.status).toBe(201)
    return answer.json as { ticket: string; expires_at: string }
  }
  const open = (ticket: string) => ground.send({ path: `/stream/events?ticket=${ticket}` })

  it('opens one stream in the name of its key', async () => {
    const { ticket, expires_at } = await issue()
    expect(expires_at).toBe('2025-01-27T12:01:00.000Z')
    expect((await open(ticket)).json).toEqual({ key: 'first' })
    expect((await open(ticket)).json.code).toBe('invalid_token')
  })

  it('is given to browsers by their session', async () => {
    const { ticket } = await issue({ cookie: await signIn(), ...fromOurPage })
    expect((await open(ticket)).status).toBe(200)
  })

  it('opens one stream for one of twenty who try it at once', async () => {
    const { ticket } = await issue()
    const answers = await Promise.all(Array.from({ length: 20 }, () => open(ticket)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19)
  })

  it('works for sixty seconds', async () => {
    const { ticket } = await issue()
    ground.clock.now += limits.ticketSeconds * 1000
    expect((await open(ticket)).json.code).toBe('invalid_token')
  })

  it('opens nothing but streams, and no session', async () => {
    const { ticket } = await issue()
    expect((await ground.send({ path: `/api/v1/keys?ticket=${ticket}` })).status).toBe(401)
    expect((await ground.send({ path: '/api/v1/session', body: { token: ticket } })).json.code).toBe('invalid_token')
    const cookie = `llm_eval_session=${ticket}`
    expect((await ground.send({ path: '/api/v1/keys', headers: { cookie } })).status).toBe(401)
    expect((await open(ticket)).status).toBe(200)
  })

  it('dies with its key', async () => {
    const made = await ground.send({ path: '/api/v1/keys', key: admin, body: { name: 'x', scopes: ['read'] } })
    const { ticket } = await issue({ authorization: `Bearer ${made.json.key}` })
    await ground.send({ method: 'DELETE', path: `/api/v1/keys/${made.json.id}`, key: admin })
    expect((await open(ticket)).json.code).toBe('invalid_token')
  })

  it('is not given to a key that may not read', async () => {
    const made = await ground.send({ path: '/api/v1/keys', key: admin, body: { name: 'x', scopes: ['ingest'] } })
    const asked = await ground.send({ method: 'POST', path: '/stream/ticket', key: made.json.key })
    expect(asked.status).toBe(403)
  })
})
