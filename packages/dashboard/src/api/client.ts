import { type FailureCode, type Fault, pathTo, type Route } from '@llm-eval/protocol'
import { type Check, isRecord, Unreadable } from './checks.ts'
import { parseJson } from './exact-json.ts'

/** A request that the server refused, or that never reached it. `next` tells the reader what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: FailureCode | 'unreachable' | 'unreadable'
  readonly next: string
  readonly requestId: string | null
  readonly faults: string[]
  /** The same, with the field that each is about; a path such as `items[2].name`. */
  readonly places: Fault[]

  constructor(
    message: string,
    rest: Partial<Pick<ApiError, 'status' | 'code' | 'next' | 'requestId' | 'faults' | 'places'>>,
  ) {
    super(message)
    this.status = rest.status ?? 0
    this.code = rest.code ?? 'internal'
    this.next = rest.next ?? ''
    this.requestId = rest.requestId ?? null
    this.faults = rest.faults ?? []
    this.places = rest.places ?? []
  }
}

export interface Call<T> {
  route: Route
  /** Fills the `:name` places of the route. */
  path?: Record<string, string>
  query?: URLSearchParams
  body?: unknown
  answer: Check<T>
  signal?: AbortSignal | undefined
}

export type Api = <T>(call: Call<T>) => Promise<T>

export interface ApiParts {
  fetch: typeof globalThis.fetch
  /** Called when the server wants a sign-in. */
  onSignedOut: () => void
  /** Milliseconds until a silent server counts as unreachable. */
  timeoutMs?: number
}

/** Calls the server by protocol's route table, and checks what it answers. */
export function createApi({ fetch, onSignedOut, timeoutMs = 30_000 }: ApiParts): Api {
  return async function call<T>({ route, path, query, body, answer, signal }: Call<T>): Promise<T> {
    const search = query && query.size > 0 ? `?${query}` : ''
    const deadline = AbortSignal.timeout(timeoutMs)
    const response = await fetch(pathTo(route, path) + search, {
      method: route.method,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    }).catch((error: unknown) => {
      if (signal?.aborted) throw error
      throw unreachable()
    })
    const said = await response.text().catch((error: unknown) => {
      if (signal?.aborted) throw error
      throw unreachable()
    })
    if (!response.ok) {
      const error = refusal(response, said)
      if (response.status === 401) onSignedOut()
      throw error
    }
    return read(said, answer)
  }
}

function read<T>(said: string, answer: Check<T>): T {
  try {
    return answer(said === '' ? undefined : parseJson(said), '')
  } catch (error) {
    const message = error instanceof Unreadable ? error.message : 'The answer of the server is not JSON.'
    throw new ApiError(message, {
      code: 'unreadable',
      next: 'Reload the page: the server may be newer than it, or something between the two may have answered.',
    })
  }
}

function unreachable(): ApiError {
  return new ApiError('The server cannot be reached.', {
    code: 'unreachable',
    next: 'Check that llm-eval is still running, and try again.',
  })
}

function refusal(response: Response, said: string): ApiError {
  let problem: unknown
  try {
    problem = JSON.parse(said)
  } catch {
    problem = undefined
  }
  const given = isRecord(problem) ? problem : {}
  const word = (name: string): string | undefined => {
    const value = given[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const places = Array.isArray(given.errors) ? given.errors.flatMap(placeOf) : []
  const faults = places.map(({ path, message }) => [path, message].filter((part) => part !== '').join(' '))
  return new ApiError(word('detail') ?? word('title') ?? `The server answered ${response.status}.`, {
    status: response.status,
    code: (word('code') ?? 'internal') as FailureCode,
    next: word('next') ?? '',
    requestId: word('request_id') ?? response.headers.get('x-request-id'),
    faults,
    places,
  })
}

function placeOf(fault: unknown): Fault[] {
  if (!isRecord(fault)) return []
  const path = typeof fault.path === 'string' ? fault.path : ''
  const message = typeof fault.message === 'string' ? fault.message : ''
  return path === '' && message === '' ? [] : [{ path, message }]
}
