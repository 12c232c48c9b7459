import type { IncomingHttpHeaders } from 'node:http'

const cookieName = 'llm_eval_session'

/** The API key a request carries, in `Authorization: Bearer` (some old clients say Bearer twice) or `X-API-Key`. */
export function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^(?:Bearer +){1,2}(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return bearer
  const header = headers['x-api-key']
  return typeof header === 'string' && header.trim() !== '' ? header.trim() : undefined
}

/** The session token in a request's cookies. */
export function sessionOf(headers: IncomingHttpHeaders): string | undefined {
  if (headers.cookie === undefined) return undefined
  for (const part of headers.cookie.split(';')) {
    const at = part.indexOf('=')
    if (at > 0 && part.slice(0, at).trim() === cookieName) return part.slice(at + 1).trim()
  }
}

/** The `Set-Cookie` value that keeps a session in the browser, out of reach of scripts and of other sites. */
export function sessionCookie(token: string, { secure, seconds }: { secure: boolean; seconds: number }): string {
  const cookie = `${cookieName}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`
  return secure ? `${cookie}; Secure` : cookie
}
