import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, runItemPage } from '@llm-eval/protocol/run-schemas'
import { type Logger, pino } from 'pino'
import * as z from 'zod'
import { configSchema } from '../src/config/config.ts'
import { type RunningServer, startServer } from '../src/main.ts'
import { until } from './faults/audit.ts'

/** What a task is asked. */
const asked = z.object({ input: z.unknown(), case_id: z.string(), repetition: z.number() })
export type Asked = z.infer<typeof asked>

/** A real endpoint that answers the cases of runs. */
export interface TaskServer extends AsyncDisposable {
  url: string
  /** What it was asked, in order. */
  came: Asked[]
}

/** Starts one that answers as it is told; `undefined` never answers. */
export async function startTask(answer: (asked: Asked, reply: ServerResponse) => unknown): Promise<TaskServer> {
  const came: Asked[] = []
  const server = createServer((request, reply) => {
    void serve(request, reply)
  })
  async function serve(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const one = await read(request)
    came.push(one)
    const value = answer(one, reply)
    if (value !== undefined) reply.setHeader('content-type', 'application/json').end(JSON.stringify(value))
  }
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/task`,
    came,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => void server.close(resolve))
    },
  }
}

async function read(request: IncomingMessage): Promise<Asked> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return asked.parse(JSON.parse(text))
}

/** A server with what tests of runs ask it. */
export interface RunServer extends AsyncDisposable {
  server: RunningServer
  send: (method: string, path: string, body?: unknown) => Promise<{ status: number; json: unknown }>
  /** Makes a dataset and publishes it. Returns its slug. */
  dataset: (slug: string, rows: Record<string, unknown>[]) => Promise<string>
  /** The run once it is over, or as it is wanted. */
  until: (id: string, wanted?: (one: z.infer<typeof run>) => boolean) => Promise<z.infer<typeof run>>
  items: (id: string, query?: string) => Promise<z.infer<typeof runItemPage>['items']>
}

/** What can be asked of a server at an address. */
export function clientOf(url: string, headers: Record<string, string> = {}): Omit<RunServer, 'server' | symbol> {
  const send: RunServer['send'] = async (method, path, body) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, json: text === '' ? null : JSON.parse(text) }
  }
  return {
    send,
    async dataset(slug, rows) {
      const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
      const made = { name: slug, slug, columns: columns.map((name) => ({ name, slug: name, type: 'json' })) }
      ok(await send('POST', '/api/v1/datasets', made))
      if (rows.length > 0) ok(await send('POST', `/api/v1/datasets/${slug}/rows`, { rows }))
      ok(await send('POST', `/api/v1/datasets/${slug}/publish`, {}))
      return slug
    },
    until: (id, wanted = ({ status }) => status !== 'queued' && status !== 'running') =>
      until(async () => run.parse((await send('GET', `/api/v1/runs/${id}`)).json), wanted),
    items: async (id, query = '') =>
      runItemPage.parse((await send('GET', `/api/v1/runs/${id}/items?limit=200${query}`)).json).items,
  }
}

function ok({ status, json }: { status: number; json: unknown }): void {
  if (status >= 300) throw new Error(`${status}: ${JSON.stringify(json)}`)
}

/** Starts a server whose tasks may be on this machine. */
export async function startRunServer(
  config: Record<string, unknown> = {},
  options: { now?: () => number; log?: Logger } = {},
): Promise<RunServer> {
  const data = await mkdtemp(join(tmpdir(), 'llm-eval-runs-'))
  const parsed = configSchema.parse({
    port: 0,
    data,
    synchronous: 'normal',
    allow_private_evaluators: true,
    ...config,
  })
  const server = await startServer({ config: parsed, log: pino({ level: 'silent' }), ...options })
  return {
    server,
    ...clientOf(server.url),
    async [Symbol.asyncDispose]() {
      await server.close()
      await rm(data, { recursive: true, force: true })
    },
  }
}
