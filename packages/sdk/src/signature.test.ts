import { createHmac, randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { systemClock } from './clock.ts'
import { createSigner } from './signature.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('a signature', () => {
  it('is accepted by the reference implementation of Standard Webhooks, for any secret and body', async () => {
    const secret = fc
      .uint8Array({ minLength: 24, maxLength: 64 })
      .map((key) => `whsec_${Buffer.from(key).toString('base64')}`)
    await fc.assert(
      fc.asyncProperty(secret, fc.json(), async (text, body) => {
        const headers = await createSigner(text, systemClock)(bytes(body))
        expect(new Webhook(text).verify(body, headers)).toEqual(JSON.parse(body))
      }),
      { numRuns: 50 },
    )
  })

  it('takes any other secret as its UTF-8 bytes', async () => {
    const at = { ...systemClock, now: () => 1_700_000_000_999 }
    const headers = await createSigner('geheimer Schlüssel', at)(bytes('{"a":"é"}'))
    expect(headers['webhook-timestamp']).toBe('1700000000')
    const mac = createHmac('sha256', 'geheimer Schlüssel').update(`${headers['webhook-id']}.1700000000.{"a":"é"}`)
    expect(headers['webhook-signature']).toBe(`v1,${mac.digest('base64')}`)
  })

  it('has an id of its own each time, without a dot', async () => {
    const sign = createSigner(`whsec_${randomBytes(24).toString('base64')}`, systemClock)
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await sign(bytes('{}')))['webhook-id']))
    expect(new Set(ids).size).toBe(20)
    for (const id of ids) expect(id).not.toContain('.')
  })

  it('cannot be made with a secret that is not base64 after whsec_', () => {
    expect(() => createSigner('whsec_not base64!', systemClock)).toThrow(TypeError)
  })
})
