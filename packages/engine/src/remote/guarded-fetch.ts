import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import type { AddressCheck } from './addresses.ts'

/** The address behind a URL is none that may be connected to. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

export interface GuardedFetchOptions {
  allows: AddressCheck
  /** All addresses of a name. */
  resolve?: (hostname: string) => Promise<LookupAddress[]>
}

/**
 * A fetch that connects to no address but those that are allowed. A name is looked up once, and what was checked is what is
 * connected to, so that a name cannot mean a public address while it is checked and another one afterwards. Every address of a
 * name has to be allowed. It follows no redirect and sends no cookie.
 */
export function guardedFetch({ allows, resolve = resolveAll }: GuardedFetchOptions): typeof globalThis.fetch {
  return async (input, init) => {
    const asked = new Request(input, init)
    // That of the request follows this one only until it is collected as garbage, which may be before the answer ends.
    const signal = init?.signal ?? asked.signal
    const url = new URL(asked.url)
    const body = Buffer.from(await asked.arrayBuffer())
    const addresses = await addressesOf(url.hostname, { resolve, signal })
    const bad = addresses.find(({ address }) => !allows(address))
    if (bad) throw refusal(url.hostname, bad.address)
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest
    const { promise, resolve: answer, reject } = Promise.withResolvers<Response>()
    const sent = request(url, {
      method: asked.method,
      headers: { ...Object.fromEntries(asked.headers), 'content-length': body.byteLength },
      lookup: pinned(addresses),
      agent: false,
    })
    const giveUp = () => {
      reject(signal.reason)
      sent.destroy()
    }
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    sent.on('error', reject)
    sent.on('upgrade', (_came, socket) => {
      socket.destroy()
      reject(new Error('it wants to speak another protocol'))
    })
    sent.on('close', () => {
      signal.removeEventListener('abort', giveUp)
      reject(new Error('it was closed without an answer'))
    })
    sent.on('response', (came) => {
      const { statusCode = 500 } = came
      const empty = statusCode === 204 || statusCode === 205 || statusCode === 304
      if (empty) came.resume()
      const headers = Object.entries(came.headers).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value] as [string, string]] : [],
      )
      try {
        answer(new Response(empty ? null : streamOf(came, signal), { status: statusCode, headers }))
      } catch (error) {
        came.destroy()
        reject(error)
      }
    })
    sent.end(body)
    return promise
  }
}

/** The addresses of a name; what is an address already is not looked up. */
async function addressesOf(
  hostname: string,
  { resolve, signal }: { resolve: (hostname: string) => Promise<LookupAddress[]>; signal: AbortSignal },
): Promise<LookupAddress[]> {
  const literal = hostname.replace(/^\[|\]$/g, '')
  const family = isIP(literal)
  if (family !== 0) return [{ address: literal, family }]
  const gaveUp = Promise.withResolvers<never>()
  const giveUp = () => gaveUp.reject(signal.reason)
  if (signal.aborted) giveUp()
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    const addresses = await Promise.race([resolve(hostname), gaveUp.promise])
    if (addresses.length === 0) throw new Error(`${hostname} has no address`)
    return addresses
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

/** Connects to the addresses that were checked, whatever the name means by now. */
function pinned(addresses: LookupAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses
    if (options.all === true) callback(null, addresses)
    else callback(null, first?.address ?? '', first?.family ?? 4)
  }
}

function streamOf(came: Readable, signal: AbortSignal): ReadableStream<Uint8Array> {
  const chunks = came[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = await chunks.next()
        if (next.done === true) controller.close()
        else controller.enqueue(Buffer.from(next.value))
      } catch (error) {
        // Who gave up is told why, and not that the connection broke.
        throw signal.aborted ? signal.reason : error
      }
    },
    cancel: () => void came.destroy(),
  })
}

function resolveAll(hostname: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true, verbatim: true }, (error, addresses) => {
      if (error) reject(error)
      else resolve(addresses)
    })
  })
}

function refusal(hostname: string, address: string): AddressRefused {
  const where = hostname.replace(/^\[|\]$/g, '') === address ? address : `${hostname} is ${address}, which`
  return new AddressRefused(`${where} is no public address`)
}

/** What is wrong with the address of a URL, as far as that shows without asking anybody. */
export function addressFault(url: string, allows: AddressCheck): string | undefined {
  const { hostname } = new URL(url)
  const literal = hostname.replace(/^\[|\]$/g, '')
  const isLocal = /(^|\.)localhost\.?$/i.test(hostname) && !allows('127.0.0.1')
  if ((isIP(literal) !== 0 && !allows(literal)) || isLocal) return `${hostname} is no public address`
  return undefined
}
