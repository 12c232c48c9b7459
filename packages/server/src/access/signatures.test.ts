import { createHmac } from 'node:crypto'
import { limits } from '@llm-eval/protocol'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { activeSecrets, checkSignature, isSigned } from './signatures.ts'

const now = Date.parse('2025-01-27T12:00:00Z')
const encoded = `whsec_${Buffer.from('a secret of thirty-two bytes ...').toString('base64')}`
const other = `whsec_${Buffer.from('another secret, also 32 bytes ..').toString('base64')}`
const body = Buffer.from('{"trace_id":"t-1","text":"größer \u{1f600}"}')

const lasting = (...secrets: string[]) => secrets.map((secret) => ({ secret, expires_at: null }))

function standard(secret: string, { at = now, id = 'msg_1', content = body } = {}) {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, new Date(at), content),
  }
}

function sha256(secret: string, content = body): string {
  return `sha256=${createHmac('sha256', secret).update(content).digest('hex')}`
}

describe('the Standard Webhooks form', () => {
  it('accepts what the standardwebhooks library signs, and tells the message id', () => {
    const check = checkSignature(standard(encoded), body, { secrets: lasting(encoded), now })
    expect(check).toEqual({ result: 'valid', signature: { form: 'standard', messageId: 'msg_1' } })
  })

  it('signs as the library verifies', () => {
    const headers = standard(encoded, { at: Date.now() })
    expect(() => new Webhook(encoded).verify(body.toString(), headers)).not.toThrow()
    expect(checkSignature(headers, body, { secrets: lasting(encoded), now: Date.now() }).result).toBe('valid')
  })

  it('takes a secret without prefix as base64, as the library does, and as it is', () => {
    const bare = encoded.slice('whsec_'.length)
    expect(checkSignature(standard(bare), body, { secrets: lasting(bare), now }).result).toBe('valid')
    const plain = 'correct horse battery staple'
    const signed = createHmac('sha256', plain)
      .update(`m.${now / 1000}.`)
      .update(body)
      .digest('base64')
    const headers = { 'webhook-id': 'm', 'webhook-timestamp': String(now / 1000), 'webhook-signature': `v1,${signed}` }
    expect(checkSignature(headers, body, { secrets: lasting(plain), now }).result).toBe('valid')
  })

  it('accepts one right signature among several, as a sender in rotation sends them', () => {
    const headers = standard(encoded)
    const several = `v1,${'A'.repeat(44)} v2,whatever ${headers['webhook-signature']}`
    const check = checkSignature({ ...headers, 'webhook-signature': several }, body, { secrets: lasting(encoded), now })
    expect(check.result).toBe('valid')
  })

  it('accepts the edge of the time window and refuses one second past it, before and after', () => {
    const skew = limits.signatureSkewSeconds * 1000
    const at = (time: number) =>
      checkSignature(standard(encoded, { at: time }), body, { secrets: lasting(encoded), now })
    expect(at(now - skew).result).toBe('valid')
    expect(at(now + skew).result).toBe('valid')
    expect(at(now - skew - 1000)).toMatchObject({ result: 'invalid', detail: expect.stringContaining('300 seconds') })
    expect(at(now + skew + 1000)).toMatchObject({ result: 'invalid' })
  })

  it.each([
    ['another body', { ...standard(encoded, { content: Buffer.from('{}') }) }],
    ['another secret', standard(other)],
    ['another id', { ...standard(encoded), 'webhook-id': 'msg_2' }],
    ['another time', { ...standard(encoded), 'webhook-timestamp': String(now / 1000 + 1) }],
    ['no id', { 'webhook-timestamp': String(now / 1000), 'webhook-signature': 'v1,AAAA' }],
    ['an id with a line end', { ...standard(encoded), 'webhook-id': 'a\nb' }],
    ['no time', { 'webhook-id': 'm', 'webhook-signature': 'v1,AAAA' }],
    ['a time that is no number', { ...standard(encoded), 'webhook-timestamp': 'noon' }],
    ['an asymmetric signature only', { ...standard(encoded), 'webhook-signature': 'v1a,AAAA' }],
    ['an empty signature', { ...standard(encoded), 'webhook-signature': '' }],
  ])('refuses %s', (_name, headers) => {
    expect(checkSignature(headers, body, { secrets: lasting(encoded), now }).result).toBe('invalid')
  })
})

describe('the sha256 form', () => {
  it.each(['signature', 'x-webhook-signature', 'x-hub-signature-256'])('is accepted in the header %s', (header) => {
    const check = checkSignature({ [header]: sha256('s3cret-s3cret') }, body, {
      secrets: lasting('s3cret-s3cret'),
      now,
    })
    expect(check).toEqual({ result: 'valid', signature: { form: 'sha256', messageId: null } })
  })

  it('takes hexadecimal digits in either case', () => {
    const upper = sha256('s3cret-s3cret').replace(/[0-9a-f]{64}/, (hex) => hex.toUpperCase())
    const headers = { 'x-hub-signature-256': upper }
    expect(checkSignature(headers, body, { secrets: lasting('s3cret-s3cret'), now }).result).toBe('valid')
  })

  it.each([
    ['another body', sha256('s3cret-s3cret', Buffer.from('{}'))],
    ['another secret', sha256('other-secret')],
    ['a cut digest', sha256('s3cret-s3cret').slice(0, -2)],
    ['no prefix', sha256('s3cret-s3cret').slice('sha256='.length)],
    ['another hash', `sha1=${'0'.repeat(40)}`],
  ])('refuses %s', (_name, value) => {
    const headers = { 'x-webhook-signature': value }
    expect(checkSignature(headers, body, { secrets: lasting('s3cret-s3cret'), now }).result).toBe('invalid')
  })

  it('does not take an HTTP message signature for one of ours', () => {
    const headers = { signature: 'sig1=:dGVzdA==:' }
    expect(isSigned(headers)).toBe(false)
    expect(checkSignature(headers, body, { secrets: lasting(encoded), now }).result).toBe('none')
  })

  it('does not help where the Standard Webhooks headers are wrong', () => {
    const headers = { ...standard(other), signature: sha256(encoded) }
    expect(checkSignature(headers, body, { secrets: lasting(encoded), now }).result).toBe('invalid')
  })
})

describe('rotation', () => {
  const leaving = { secret: other, expires_at: new Date(now + 1000).toISOString() }
  const secrets = [{ secret: encoded, expires_at: null }, leaving]

  it('accepts every active secret, in both forms', () => {
    for (const secret of [encoded, other]) {
      expect(checkSignature(standard(secret), body, { secrets, now }).result).toBe('valid')
      expect(checkSignature({ signature: sha256(secret) }, body, { secrets, now }).result).toBe('valid')
    }
  })

  it('refuses a secret from the moment it expires', () => {
    expect(checkSignature({ signature: sha256(other) }, body, { secrets, now: now + 999 }).result).toBe('valid')
    expect(checkSignature({ signature: sha256(other) }, body, { secrets, now: now + 1000 }).result).toBe('invalid')
    expect(activeSecrets(secrets, now + 1000)).toEqual([encoded])
  })
})
