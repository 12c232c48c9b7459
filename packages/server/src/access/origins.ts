import type { IncomingHttpHeaders } from 'node:http'
import type { Config } from '../config/config.ts'

/** The settings that say which names are this server's own. */
export type OwnNames = Pick<Config, 'allowed_hosts' | 'public_url' | 'cors_origins'>

/** Whether a host name (without port) means this machine: `localhost`, `*.localhost`, 127.0.0.0/8 or `[::1]`. */
export function isLoopback(name: string): boolean {
  const host = name
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '::1' ||
    /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
  )
}

/** The name in a Host header, without its port; empty when it is none. */
function hostName(host: string): string {
  return /^(\[[0-9a-f:.]+\]|[\w.-]+)(?::\d+)?$/.exec(host.toLowerCase())?.[1] ?? ''
}

/** Whether a Host header names this server, as far as its settings tell. */
function isOwnHost(host: string, names: OwnNames): boolean {
  const name = hostName(host)
  if (name === '') return false
  if (isLoopback(name)) return true
  if (names.public_url !== null && new URL(names.public_url).hostname === name) return true
  return names.allowed_hosts.some((allowed) => {
    const wanted = allowed.toLowerCase()
    return (
      wanted === name || wanted === host.toLowerCase() || (wanted.startsWith('*.') && name.endsWith(wanted.slice(1)))
    )
  })
}

/** Whether pages of an origin may talk to an open loopback server. */
export function isFriendlyOrigin(origin: string, names: OwnNames): boolean {
  if (names.cors_origins.includes(origin)) return true
  const url = URL.parse(origin)
  return url !== null && /^https?:$/.test(url.protocol) && isOwnHost(url.host, names)
}

/**
 * Whether an open loopback server may answer a request. Anybody's web page can make a browser send requests to loopback
 * (and, by DNS rebinding, even read the answers), so Host, Origin and Sec-Fetch-Site have to be ours.
 */
export function isLocalRequest(host: string | undefined, headers: IncomingHttpHeaders, names: OwnNames): boolean {
  if (host === undefined || !isOwnHost(host, names)) return false
  if (headers.origin !== undefined) return isFriendlyOrigin(headers.origin, names)
  // A link from elsewhere may open the dashboard; another site's image or form may not reach the API.
  return headers['sec-fetch-site'] !== 'cross-site' || headers['sec-fetch-mode'] === 'navigate'
}

/** Whether a request that a cookie speaks for was made by our own page. */
export function isSameOrigin(host: string | undefined, headers: IncomingHttpHeaders, names: OwnNames): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const { origin } = headers
  if (origin === undefined) return false
  const url = URL.parse(origin)
  if (url === null) return false
  return url.host === host?.toLowerCase() || (names.public_url !== null && url.origin === names.public_url)
}
