/** Bytes of one piece: arguments of a function are limited in number. */
const piece = 0x6000

/**
 * The bytes of a base64 text, of either alphabet, with or without padding and line ends.
 *
 * @returns null where the text is no base64
 */
export function decodeBytes(text: string): Uint8Array | null {
  const plain = plainBase64(text)
  if (plain === null) return null
  const binary = atob(plain)
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at)
  return bytes
}

/** Bytes as Python's ADK writes them: base64 of the URL-safe alphabet, with padding. */
export function encodeBytes(bytes: Uint8Array): string {
  const pieces: string[] = []
  for (let at = 0; at < bytes.length; at += piece)
    pieces.push(String.fromCharCode(...bytes.subarray(at, Math.min(at + piece, bytes.length))))
  return urlSafe(btoa(pieces.join('')))
}

/** A base64 text of any kind in the one form that Python's ADK both writes and reads; null where it is none. */
export function normalBytes(text: string): string | null {
  const plain = plainBase64(text)
  return plain === null ? null : urlSafe(plain)
}

/** In the standard alphabet with padding, its unused last bits empty, as strict readers demand them to be. */
function plainBase64(text: string): string | null {
  const dense = /\s/.test(text) ? text.replace(/\s+/g, '') : text
  const body = dense
    .replace(/={1,2}$/, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
  if (!/^[A-Za-z0-9+/]*$/.test(body)) return null
  const over = body.length % 4
  if (over === 1) return null
  if (over === 0) return dense.length > body.length ? null : body
  if (dense.length > body.length && dense.length % 4 !== 0) return null
  const last = alphabet.indexOf(body.slice(-1))
  const full = alphabet[last & (over === 2 ? 0b110000 : 0b111100)] ?? ''
  return `${body.slice(0, -1)}${full}${over === 2 ? '==' : '='}`
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

function urlSafe(standard: string): string {
  return standard.replaceAll('+', '-').replaceAll('/', '_')
}
