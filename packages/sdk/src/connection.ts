import { pathTo, type Route } from '@llm-eval/protocol'
import { errorOf, readJson, readObject } from './answer.ts'
import { type Clock, pause, systemClock } from './clock.ts'
import { checkTime } from './deadline.ts'
import { LLMEvalError, toError } from './error.ts'
import { backoffMs, isOverload } from './retry.ts'
import { createSigner, type Signer } from './signature.ts'

/** How to reach a server. */
export interface ConnectionOptions {
  /** Sent as `Authorization: Bearer`. */
  apiKey?: string | null | undefined
  /** Instead of the global `fetch`. */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined
  clock?: Clock | undefined
  /** Instead of `Math.random`: numbers in [0, 1) that spread retries. */
  random?: (() => number) | undefined
}

/** How requests behave. */
export interface RequestOptions extends ConnectionOptions {
  /** Milliseconds one try may take; 30,000 if absent. */
  timeoutMs?: number | undefined
  /** How often a request is tried again after 429, 502, 503, 504 or a lost connection; 3 if absent. */
  retries?: number | undefined
  /** Milliseconds: a `Retry-After` longer than this is not waited for but reported; 30,000 if absent. */
  maxWaitMs?: number | undefined
  /** Signs what is sent to `/webhook` (Standard Webhooks): `whsec_…`, or any text. */
  webhookSecret?: string | undefined
}

/** What methods take last: a signal that gives up waiting. The promise then rejects with the signal's reason. */
export interface CallOptions {
  signal?: AbortSignal | undefined
}

/** One request. */
export interface Call {
  route: Route
  /** For the `:name` places of the path. */
  values?: Record<string, string>
  query?: Record<string, string>
  /** JSON. */
  body?: string
  signal?: AbortSignal | undefined
}

/** How a stream is opened. */
export interface Opening {
  signal: AbortSignal
  /** Go on after this cursor. */
  lastEventId?: string | undefined
}

const firstWait = { baseMs: 500, capMs: 8_000 }

/** A base URL, and how to speak to what stands there. */
export class Connection {
  readonly clock: Clock
  readonly random: () => number
  /** Without a slash at its end. */
  readonly baseUrl: string
  readonly #headers: Record<string, string>
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly #timeoutMs: number
  readonly #retries: number
  readonly #maxWaitMs: number
  readonly #sign: Signer | undefined

  constructor(baseUrl: string, options: RequestOptions) {
    this.baseUrl = checkBaseUrl(baseUrl)
    this.#headers = authorization(options.apiKey)
    this.clock = options.clock ?? systemClock
    this.random = options.random ?? Math.random
    // Looked up at each call, so that a fetch that is instrumented later is used too.
    this.#fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init))
    this.#timeoutMs = checkTime(options.timeoutMs ?? 30_000, 'timeoutMs must be a number of milliseconds')
    this.#retries = options.retries ?? 3
    this.#maxWaitMs = options.maxWaitMs ?? 30_000
    this.#sign = options.webhookSecret ? createSigner(options.webhookSecret, this.clock) : undefined
  }

  /** Whether requests carry a key. */
  get hasKey(): boolean {
    return 'authorization' in this.#headers
  }

  /** The whole URL of a call. */
  url(call: Pick<Call, 'route' | 'values' | 'query'>): string {
    const query = new URLSearchParams(call.query).toString()
    return `${this.baseUrl}${pathTo(call.route, call.values)}${query && `?${query}`}`
  }

  /** Asks, and asks again while that is safe and promising. Gives the JSON of the answer. */
  async request(call: Call): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.attempt(call)
      } catch (error) {
        if (tries > this.#retries || !(error instanceof LLMEvalError) || !worthRepeating(error, call.route)) throw error
        const waitMs = backoffMs(firstWait, tries, { random: this.random(), retryAfter: error.retryAfter })
        if (waitMs > this.#maxWaitMs) throw error
        await pause(waitMs, this.clock, call.signal)
      }
    }
  }

  /** Asks once. */
  async attempt(call: Call): Promise<unknown> {
    call.signal?.throwIfAborted()
    const url = this.url(call)
    const end = this.#deadline(call.signal)
    try {
      const response = await this.#fetch(url, { ...(await this.#init(call)), signal: end.signal })
      const raw = { url, status: response.status, headers: response.headers, text: await response.text() }
      if (response.ok) return readJson(raw)
      throw errorOf(raw, this.clock.now())
    } catch (error) {
      if (error instanceof LLMEvalError) throw error
      if (call.signal?.aborted) throw call.signal.reason
      if (end.signal.aborted) throw new LLMEvalError('timeout', `No answer from ${url} within ${this.#timeoutMs} ms.`)
      throw unreachable(url, error)
    } finally {
      end.clear()
    }
  }

  /** Asks for an object. What is in it is believed: it comes from the server that the base URL names. */
  async ask<T extends object>(call: Call): Promise<T> {
    return readObject(await this.request(call), this.url(call)) as T
  }

  /** Opens an event stream; its body stays open until `signal` is aborted. */
  async open(call: Call & Opening): Promise<Response> {
    return await this.openUrl(this.url(call), call)
  }

  /** The same at a URL that the server named. */
  async openUrl(url: string, { signal, lastEventId }: Opening): Promise<Response> {
    const headers: Record<string, string> = { ...this.#headers, accept: 'text/event-stream' }
    if (lastEventId !== undefined) headers['last-event-id'] = lastEventId
    try {
      return await this.#fetch(url, { headers, cache: 'no-store', signal })
    } catch (error) {
      throw unreachable(url, error)
    }
  }

  async #init(call: Call): Promise<RequestInit> {
    const { method } = call.route
    if (call.body === undefined) return { method, headers: this.#headers }
    const body = new TextEncoder().encode(call.body)
    const signature = call.route.errors === 'webhook' ? await this.#sign?.(body) : undefined
    return { method, headers: { ...this.#headers, 'content-type': 'application/json', ...signature }, body }
  }

  #deadline(outer: AbortSignal | undefined): { signal: AbortSignal; clear(): void } {
    const controller = new AbortController()
    const abort = () => controller.abort(outer?.reason)
    outer?.addEventListener('abort', abort, { once: true })
    const cancel = this.clock.after(this.#timeoutMs, () => controller.abort())
    return {
      signal: controller.signal,
      clear() {
        cancel()
        outer?.removeEventListener('abort', abort)
      },
    }
  }
}

/**
 * Sends are idempotent by trace_id and reads change nothing, so both may be repeated after a lost connection.
 * A review or a deletion may have been done already; it is repeated only when the server said that nothing happened.
 */
function worthRepeating(error: LLMEvalError, route: Route): boolean {
  const harmless = route.method === 'GET' || route.errors === 'webhook'
  if (harmless) return error.code === 'unreachable' || isOverload(error)
  return error.status === 429 || error.status === 503
}

/** The error for a request that got no answer; says where it went and why it failed. */
function unreachable(url: string, thrown: unknown): LLMEvalError {
  const error = toError(thrown)
  const cause = error.cause instanceof Error ? error.cause : error
  const code = 'code' in cause && typeof cause.code === 'string' ? `${cause.code} ` : ''
  return new LLMEvalError('unreachable', `Cannot reach ${url}: ${code}${cause.message || error.message}`, {
    cause: thrown,
  })
}

function checkBaseUrl(baseUrl: string): string {
  const page = (globalThis as { location?: { href?: string } }).location?.href
  let url: URL
  try {
    url = page === undefined ? new URL(baseUrl) : new URL(baseUrl, page)
  } catch (cause) {
    throw new TypeError(`baseUrl is not a URL: ${baseUrl} (did you mean http://${baseUrl}?)`, { cause })
  }
  if (!/^https?:$/.test(url.protocol)) throw new TypeError(`baseUrl must begin with http:// or https://: ${baseUrl}`)
  if (url.username || url.password)
    throw new TypeError('baseUrl must not hold a name or password; hand in apiKey instead')
  if (/[?#]/.test(baseUrl)) throw new TypeError(`baseUrl must end with its path: ${baseUrl}`)
  return baseUrl.replace(/\/+$/, '')
}

function authorization(apiKey: string | null | undefined): Record<string, string> {
  const key = apiKey?.trim()
  if (!key) return {}
  if (!/^[\x21-\x7e]+$/.test(key)) throw new TypeError('apiKey holds characters that a header cannot carry')
  return { authorization: `Bearer ${key}` }
}
