import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { limits } from '@llm-eval/protocol'
import type { WebhookSecret } from '../config/config.ts'
import type { Signature } from './principal.ts'

/** What the signature headers of a request say. `none`: there are none. */
export type SignatureCheck =
  | { result: 'none' }
  | { result: 'valid'; signature: Signature }
  | { result: 'invalid'; detail: string }

const sha256Headers = ['x-hub-signature-256', 'x-webhook-signature', 'signature'] as const

/** Whether a request carries a webhook signature at all, whatever it is worth. */
export function isSigned(headers: IncomingHttpHeaders): boolean {
  return headers['webhook-signature'] !== undefined || sha256Header(headers) !== undefined
}

/**
 * Checks the signature over the body's exact bytes. The Standard Webhooks headers count alone where they are present,
 * since only they have a time and an id; else one `sha256=<hex>` header.
 */
export function checkSignature(
  headers: IncomingHttpHeaders,
  body: Buffer,
  { secrets, now }: { secrets: readonly WebhookSecret[]; now: number },
): SignatureCheck {
  const active = activeSecrets(secrets, now)
  if (headers['webhook-signature'] !== undefined) return checkStandard(headers, body, { active, now })
  const given = sha256Header(headers)
  return given === undefined ? { result: 'none' } : checkSha256(given, body, active)
}

/** The secrets that have not expired. */
export function activeSecrets(secrets: readonly WebhookSecret[], now: number): string[] {
  return secrets.filter((one) => one.expires_at === null || Date.parse(one.expires_at) > now).map((one) => one.secret)
}

interface Active {
  active: readonly string[]
  now: number
}

function checkStandard(headers: IncomingHttpHeaders, body: Buffer, { active, now }: Active): SignatureCheck {
  const id = headers['webhook-id']
  const time = headers['webhook-timestamp']
  if (typeof id !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(id)) return invalid('webhook-id is missing or unusable')
  if (typeof time !== 'string' || !/^[0-9]{1,12}$/.test(time))
    return invalid('webhook-timestamp is missing or no number')
  const skew = Math.abs(now / 1000 - Number(time))
  if (skew > limits.signatureSkewSeconds) {
    return invalid(`webhook-timestamp is more than ${limits.signatureSkewSeconds} seconds off`)
  }
  const head = `${id}.${time}.`
  const expected = active
    .flatMap(standardKeys)
    .map((key) => createHmac('sha256', key).update(head).update(body).digest())
  const given = String(headers['webhook-signature'])
    .split(' ')
    .filter((part) => part.startsWith('v1,'))
    .map((part) => Buffer.from(part.slice(3), 'base64'))
  return anyEqual(given.slice(0, 16), expected)
    ? { result: 'valid', signature: { form: 'standard', messageId: id } }
    : invalid('no v1 signature fits the body and a secret')
}

function checkSha256(given: string, body: Buffer, active: readonly string[]): SignatureCheck {
  const match = /^sha256=([0-9a-f]{64})$/i.exec(given)
  if (!match?.[1]) return invalid('it is not of the form sha256=<64 hexadecimal digits>')
  const expected = active.map((secret) => createHmac('sha256', secret).update(body).digest())
  return anyEqual([Buffer.from(match[1], 'hex')], expected)
    ? { result: 'valid', signature: { form: 'sha256', messageId: null } }
    : invalid('it does not fit the body and a secret')
}

/** `Signature` is also the name of a header of HTTP Message Signatures, which say nothing to us. */
function sha256Header(headers: IncomingHttpHeaders): string | undefined {
  for (const name of sha256Headers) {
    const value = headers[name]
    if (typeof value === 'string' && (name !== 'signature' || value.startsWith('sha256='))) return value
  }
}

/** `whsec_` secrets are base64. Others are taken as they are, and also as base64, as the Standard Webhooks libraries do. */
function standardKeys(secret: string): Buffer[] {
  if (secret.startsWith('whsec_')) return [Buffer.from(secret.slice(6), 'base64')]
  const decoded = Buffer.from(secret, 'base64')
  const isBase64 = decoded.length >= 16 && decoded.toString('base64') === secret
  return isBase64 ? [Buffer.from(secret), decoded] : [Buffer.from(secret)]
}

/** Compares each with each, whatever was found before, each in constant time. */
function anyEqual(given: readonly Buffer[], expected: readonly Buffer[]): boolean {
  let found = false
  for (const one of given) {
    for (const other of expected) {
      if (one.length === other.length && timingSafeEqual(one, other)) found = true
    }
  }
  return found
}

function invalid(detail: string): SignatureCheck {
  return { result: 'invalid', detail }
}
