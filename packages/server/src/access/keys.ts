import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const start = 'llmeval_'
/** Base-62 digits that 256 bits need. */
const secretChars = 43
const checkChars = 6
const shape = new RegExp(`^${start}[0-9A-Za-z]{${secretChars + checkChars}}$`)
/** Enough of a key to recognise it by, far too little to guess it from. */
const prefixChars = start.length + 6

/** A new API key: 256 random bits and a checksum, so that a mistyped or cut key is told without asking the database. */
export function generateKey(): string {
  const secret = base62(BigInt(`0x${randomBytes(32).toString('hex')}`), secretChars)
  return start + secret + checksum(secret)
}

/** Whether a text has the form of a key and its checksum fits. */
export function isWellFormedKey(text: string): boolean {
  if (!shape.test(text)) return false
  const secret = text.slice(start.length, start.length + secretChars)
  return text.endsWith(checksum(secret))
}

/** How a key or token is kept at rest. They are random, so one round is enough. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** The first characters of a key, as lists show them. */
export function keyPrefix(key: string): string {
  return key.slice(0, prefixChars)
}

/** A new session, ticket or sign-in token. */
export function generateToken(): string {
  return randomBytes(32).toString('base64url')
}

function checksum(secret: string): string {
  return base62(BigInt(crc32(start + secret)), checkChars)
}

function base62(value: bigint, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest /= 62n) text = alphabet.charAt(Number(rest % 62n)) + text
  return text
}
