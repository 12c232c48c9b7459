import { checkTime } from './deadline.ts'
import { Connection, type ConnectionOptions, type RequestOptions } from './connection.ts'

/** Where the server is, and how requests to it behave. What is absent is read from the environment. */
export interface EvaluationServer extends ConnectionOptions, Pick<RequestOptions, 'retries' | 'maxWaitMs'> {
  /** `TRACELOOP_BASE_URL` if absent, else http://localhost:8000. */
  baseUrl?: string | undefined
  /** `TRACELOOP_API_KEY` if absent. */
  apiKey?: string | null | undefined
  /** Milliseconds one request may take that only starts or cancels something; 30,000 if absent. */
  requestTimeoutMs?: number | undefined
}

/** How long a wait may last. Without either it is as `TRACELOOP_STREAM_TIMEOUT` says, else 300 seconds. */
export interface WaitTime {
  /** Milliseconds; `Infinity` waits without end. */
  timeoutMs?: number | undefined
  /** The same in seconds, as Traceloop's SDKs count; `timeoutMs` goes before it. */
  timeout?: number | undefined
}

/** What the environment says. */
export interface Environment {
  apiKey: string | undefined
  baseUrl: string
  /** Milliseconds. */
  streamTimeoutMs: number
}

/**
 * Reads `TRACELOOP_API_KEY`, `TRACELOOP_BASE_URL` and `TRACELOOP_STREAM_TIMEOUT` (seconds; 300 if unset).
 *
 * @throws {TypeError} if the time is none
 */
export function readEnvironment(variables = variablesOfProcess()): Environment {
  const seconds = variables('TRACELOOP_STREAM_TIMEOUT') ?? '300'
  if (!(Number(seconds) > 0))
    throw new TypeError(`TRACELOOP_STREAM_TIMEOUT must be a number of seconds above 0, not ${seconds}`)
  return {
    apiKey: variables('TRACELOOP_API_KEY'),
    baseUrl: variables('TRACELOOP_BASE_URL') ?? 'http://localhost:8000',
    streamTimeoutMs: Number(seconds) * 1000,
  }
}

/**
 * Milliseconds that a wait may last.
 *
 * @throws {TypeError} if the time is none
 */
export function waitMs({ timeoutMs, timeout }: WaitTime): number {
  if (timeoutMs !== undefined) return checkTime(timeoutMs, 'timeoutMs must be a number of milliseconds')
  if (timeout !== undefined) return checkTime(timeout, 'timeout must be a number of seconds') * 1000
  return readEnvironment().streamTimeoutMs
}

/** A connection of these options, with the environment for what is absent. */
export function connect(server: EvaluationServer): Connection {
  const environment = readEnvironment()
  const { baseUrl = environment.baseUrl, apiKey = environment.apiKey, requestTimeoutMs, ...rest } = server
  if (requestTimeoutMs !== undefined) checkTime(requestTimeoutMs, 'requestTimeoutMs must be a number of milliseconds')
  return new Connection(baseUrl, { ...rest, apiKey, timeoutMs: requestTimeoutMs })
}

/** The variables of the process; there are none in a browser, and a run time may refuse to show one. Empty ones count as unset. */
function variablesOfProcess(): (name: string) => string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } }
  return (name) => {
    try {
      return process?.env?.[name]?.trim() || undefined
    } catch {
      return undefined
    }
  }
}
