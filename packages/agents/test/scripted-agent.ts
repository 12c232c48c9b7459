import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { createPrices } from '@llm-eval/pricing'
import type { AgentTrace } from '@llm-eval/protocol'
import { onTestFinished } from 'vitest'
import { type Agent, ask, type AskOptions } from '../src/index.ts'

/** A request that an agent got. */
export interface Got {
  path: string
  headers: IncomingMessage['headers']
  /** As JSON. */
  body: Record<string, unknown>
}

export type Script = (answer: ServerResponse, got: Got, nth: number) => void | Promise<void>

/** A real HTTP server that answers as the script says, until the test is over. */
export async function scriptedAgent(script: Script): Promise<{ url: string; got: Got[] }> {
  const got: Got[] = []
  const server = createServer((request, answer) => {
    void take(request, answer)
  })
  async function take(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = JSON.parse((await text(request)) || '{}') as Record<string, unknown>
    const one: Got = { path: request.url ?? '', headers: request.headers, body }
    got.push(one)
    await script(answer, one, got.length)
  }
  const listening = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', listening.resolve)
  await listening.promise
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/chat`, got }
}

/** Answers with one text. */
export function answering(body: string | Uint8Array, contentType = 'application/json'): Script {
  return (answer) => {
    answer.setHeader('content-type', contentType).end(body)
  }
}

/** The options of a test, with what it wants otherwise. */
export function options(other: Partial<AskOptions> = {}): AskOptions {
  return {
    fetch: globalThis.fetch,
    signal: new AbortController().signal,
    clock: { now: () => performance.now(), wait: (ms, signal) => pause(ms, undefined, { signal }) },
    prices: createPrices(),
    env: {},
    random: () => 0,
    ...other,
  }
}

/** Asks an agent that answers with one text. */
export async function traceOf(
  body: string | Uint8Array,
  { contentType, ...agent }: Partial<Agent> & { contentType?: string } = {},
): Promise<AgentTrace> {
  const { url } = await scriptedAgent(answering(body, contentType))
  return ask({ url, retries: 0, ...agent }, [{ query: 'Analyze AAPL' }], options())
}

/** Lines of JSON. */
export function lines(...values: unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('')
}

/** An event stream. */
export function blocks(...values: unknown[]): string {
  return values.map((value) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`).join('')
}
