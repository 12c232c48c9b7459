import { createHmac } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { firstKey, type Ground, noon, openShelf, type Shelf, startGround, trace } from './ground.ts'

const secret = `whsec_${Buffer.from('a secret of thirty-two bytes ...').toString('base64')}`
const old = 'an old secret, about to go'
const webhook_secrets = [
  { secret, expires_at: null },
  { secret: old, expires_at: new Date(noon + 1000).toISOString() },
]

let shelf: Shelf
let ground: Ground
beforeAll(async () => {
  shelf = await openShelf()
})
afterAll(() => shelf.close())
afterEach(() => ground.close())

const start = async () => {
  ground = await startGround({ shelf, config: { webhook_secrets } })
}

let made = 0
const newBody = () => JSON.stringify(trace({ trace_id: `signed-${++made}` }))

function standard(body: string, { id = `msg_${made}`, at = ground.clock.now } = {}) {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, new Date(at), body),
  }
}

const sha256 = (body: string, by = secret) => `sha256=${createHmac('sha256', by).update(body).digest('hex')}`

const send = (body: string, headers: Record<string, string> = {}, key?: string) =>
  ground.send({ path: '/webhook/trace', body, headers, ...(key === undefined ? {} : { key }) })

describe('with a webhook secret set', () => {
  it('a trace that is neither signed nor keyed is refused, even on an open loopback server', async () => {
    await start()
    const answer = await send(newBody())
    expect(answer.status).toBe(401)
    expect(answer.json).toMatchObject({ success: false, code: 'bad_signature', trace_ids: [] })
    await firstKey(ground)
    expect((await send(newBody())).json.code).toBe('bad_signature')
  })

  it('a signed trace is stored, in each form', async () => {
    await start()
    for (const headers of [
      standard,
      (body: string) => ({ signature: sha256(body) }),
      (body: string) => ({ 'x-webhook-signature': sha256(body, old) }),
      (body: string) => ({ 'x-hub-signature-256': sha256(body) }),
    ]) {
      const body = newBody()
      expect((await send(body, headers(body))).status).toBe(200)
    }
  })

  it('a signed trace needs no key where others need one, and may do nothing else', async () => {
    await start()
    await firstKey(ground)
    const body = newBody()
    expect((await send(body, standard(body))).status).toBe(200)
    const look = await ground.send({ path: '/webhook/stats', headers: { signature: sha256('') } })
    expect(look.status).toBe(401)
  })

  it('a keyed trace needs no signature', async () => {
    await start()
    const admin = await firstKey(ground)
    expect((await send(newBody(), {}, admin)).status).toBe(200)
    const reader = await ground.send({ path: '/api/v1/keys', key: admin, body: { name: 'r', scopes: ['read'] } })
    expect((await send(newBody(), {}, reader.json.key)).status).toBe(403)
  })

  it('a wrong signature is refused whatever else the request shows', async () => {
    await start()
    const admin = await firstKey(ground)
    const body = newBody()
    for (const key of [undefined, admin]) {
      const answer = await send(body, { signature: sha256(`${body} `) }, key)
      expect(answer.status).toBe(401)
      expect(answer.json.code).toBe('bad_signature')
    }
    expect((await ground.send({ path: '/webhook/stats', key: admin })).status).toBe(200)
  })

  it('an expired secret signs no more', async () => {
    await start()
    const body = newBody()
    ground.clock.now += 1_000
    expect((await send(body, { signature: sha256(body, old) })).status).toBe(401)
    expect((await send(body, { signature: sha256(body) })).status).toBe(200)
  })

  it('a message sent again is a success, with another body a conflict, and too late refused', async () => {
    await start()
    const body = newBody()
    const headers = standard(body, { id: 'msg_again' })
    expect((await send(body, headers)).status).toBe(200)
    expect((await send(body, headers)).status).toBe(200)
    const other = newBody()
    const replay = await send(other, standard(other, { id: 'msg_again' }))
    expect(replay.status).toBe(409)
    expect(replay.json.code).toBe('replayed_id')
    ground.clock.now += 301_000
    expect((await send(body, headers)).status).toBe(401)
  })

  it('the signature is over the text itself, however it was packed for the way', async () => {
    await start()
    const body = newBody()
    const answer = await ground.send({
      path: '/webhook/trace',
      body: gzipSync(body),
      headers: { 'content-encoding': 'gzip', ...standard(body) },
    })
    expect(answer.status).toBe(200)
  })

  it('the settings tell how many secrets are active, and none of them', async () => {
    await start()
    const answer = await ground.send({ path: '/api/v1/settings' })
    expect(answer.json.webhook_secrets).toBe(2)
    ground.clock.now += 1_000
    expect((await ground.send({ path: '/api/v1/settings' })).json.webhook_secrets).toBe(1)
    expect(answer.text).not.toContain('secret of')
  })
})
