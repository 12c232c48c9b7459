import type { Clock } from './clock.ts'
import { LLMEvalError } from './error.ts'
import { newIdentifier } from './identifier.ts'

/** Gives the headers that prove who wrote these bytes. */
export type Signer = (body: Uint8Array<ArrayBuffer>) => Promise<Record<string, string>>

/**
 * Signs request bodies as Standard Webhooks 1.0.0 says: HMAC-SHA256 over `{id}.{timestamp}.{body}`.
 *
 * @param secret `whsec_` and base64, as the server shows it; any other text is taken as its UTF-8 bytes
 */
export function createSigner(secret: string, clock: Clock): Signer {
  const bytes = secretBytes(secret)
  let key: Promise<CryptoKey> | undefined
  return async (body) => {
    key ??= importKey(bytes)
    const id = `msg_${newIdentifier()}`
    const timestamp = String(Math.floor(clock.now() / 1000))
    const head = new TextEncoder().encode(`${id}.${timestamp}.`)
    const signed = new Uint8Array(head.length + body.length)
    signed.set(head)
    signed.set(body, head.length)
    const mac = await crypto.subtle.sign('HMAC', await key, signed)
    return {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${btoa(String.fromCharCode(...new Uint8Array(mac)))}`,
    }
  }
}

function secretBytes(secret: string): Uint8Array<ArrayBuffer> {
  if (!secret.startsWith('whsec_')) return new TextEncoder().encode(secret)
  try {
    return Uint8Array.from(atob(secret.slice('whsec_'.length)), (char) => char.charCodeAt(0))
  } catch (cause) {
    throw new TypeError('webhookSecret: what follows whsec_ is not base64', { cause })
  }
}

async function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  if (!globalThis.crypto?.subtle) {
    throw new LLMEvalError('failed', 'Signing needs WebCrypto, which browsers offer on https and localhost only.')
  }
  return await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
}
