import { pathTo, type Route } from '@llm-eval/protocol'
import * as z from 'zod'
import { commandHint, Complaint, exitCodes, keyHint, startHint } from './complaint.ts'
import type { Target } from './target.ts'

/** A request that the SDK has no method for. */
export interface Request {
  route: Route
  values?: Record<string, string>
  query?: Record<string, string> | [name: string, value: string][]
  body?: object
  /** A body that is sent while it is read, in place of `body`. */
  stream?: { chunks: AsyncIterable<Uint8Array>; headers: Record<string, string> }
  signal?: AbortSignal
}

/** The parameters that are given. */
export function givenOnly(query: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** Asks a server; what is not a success is thrown as a complaint. The body is left to be read. */
export async function ask(target: Target, request: Request): Promise<Response> {
  const { route, body, stream, signal } = request
  const query = new URLSearchParams(request.query).toString()
  const url = `${target.url}${pathTo(route, request.values)}${query && `?${query}`}`
  const init: RequestInit = {
    method: route.method,
    headers: {
      ...(target.key === null ? {} : { authorization: `Bearer ${target.key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...stream?.headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(stream === undefined ? {} : { body: stream.chunks, duplex: 'half' as const }),
    ...(signal === undefined ? {} : { signal }),
  }
  let response: Response
  try {
    response = await (target.fetch ?? fetch)(url, init)
  } catch (error) {
    signal?.throwIfAborted()
    throw unreachable(target, error)
  }
  if (!response.ok) throw refusal(await response.text(), { url, status: response.status })
  return response
}

/** The complaint when no answer came, or it broke off. */
function unreachable({ url }: Target, error: unknown): Complaint {
  const outer = error instanceof Error ? error : new Error(String(error))
  const cause = outer.cause instanceof Error ? outer.cause : outer
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  const words =
    cause.message === '' || cause.message.includes(code) ? cause.message || code : `${code} ${cause.message}`
  return new Complaint(`Cannot reach ${url}: ${words}. ${startHint}`, { cause: error })
}

// What our server sends with an error; another server may send anything.
const problem = z.object({
  code: z.string().optional(),
  detail: z.string().optional(),
  message: z.string().optional(),
  next: z.string().optional(),
  errors: z.array(z.union([z.string(), z.object({ path: z.string(), message: z.string() })])).nullish(),
})

function refusal(text: string, { url, status }: { url: string; status: number }): Complaint {
  const told = problem.safeParse(parseJson(text)).data
  const says = told?.detail ?? told?.message ?? `${url} answered ${status}. Is it the URL of an llm-eval server?`
  const faults = (told?.errors ?? []).map((fault) =>
    typeof fault === 'string' ? fault : fault.path === '' ? fault.message : `${fault.path}: ${fault.message}`,
  )
  const auth = status === 401 || status === 403
  const next = commandHint(told?.code) ?? told?.next ?? ''
  const parts = [says, faults.join('; '), auth ? keyHint : faults.length > 0 ? '' : next]
  return new Complaint(parts.filter((part) => part !== '').join(' '), {
    exitCode: auth ? exitCodes.impossible : exitCodes.failed,
    status,
  })
}

/** An answer's JSON, in the shape that is expected. */
export async function readAnswer<T>(response: Response, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(parseJson(await response.text()))
  if (parsed.success) return parsed.data
  throw new Complaint(`${response.url} did not answer as llm-eval does. Is --url the URL of an llm-eval server?`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
