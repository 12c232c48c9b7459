import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import type { BridgeTap } from '@llm-eval/server'
import { Complaint, fileComplaint } from '../complaint.ts'
import type { ServeOptions } from '../settings.ts'
import type { Terminal } from '../terminal.ts'
import { serveWith } from './serve.ts'

/** Options of `llm-eval bridge`. */
export interface BridgeOptions extends ServeOptions {
  target: string
  name: string
  app?: string
  user?: string
  agentEngine?: boolean
  agui?: boolean
  tokenEnv?: string
  gcloud?: boolean
  logDir?: string
}

/** `llm-eval bridge`: a server with one agent behind it, until it is told to stop. */
export async function bridge(terminal: Terminal, options: BridgeOptions): Promise<number> {
  if (options.agentEngine && options.agui) throw new Complaint('--agent-engine and --agui do not go together.')
  const logs = options.logDir === undefined ? undefined : await openLogs(resolve(terminal.cwd, options.logDir))
  try {
    return await serveWith(terminal, options, {
      flags: { targets: { [options.name]: targetOf(options) } },
      ...(logs === undefined ? {} : { tap: logs.tap }),
      banner: (url) => [
        ['Front end', `new HttpAgent({ url: '${url}/agui/${options.name}' })`],
        ['Watch', `${url}/conversations`],
        ...(logs === undefined ? [] : ([['Logs', logs.paths.join(', ')]] satisfies [string, string][])),
      ],
    })
  } finally {
    await logs?.close()
  }
}

function targetOf({ target, app, user, agentEngine, agui, tokenEnv, gcloud }: BridgeOptions): object {
  const kind = agentEngine ? 'agent_engine' : agui ? 'agui' : 'adk'
  return {
    kind,
    url: target,
    ...(app === undefined ? {} : { app_name: app }),
    ...(user === undefined ? {} : { user_id: user }),
    ...(tokenEnv === undefined ? {} : { token_env: tokenEnv }),
    ...(gcloud ? { token_command: ['gcloud', 'auth', 'print-access-token'] } : {}),
  }
}

interface Logs {
  tap: BridgeTap
  paths: string[]
  close(): Promise<void>
}

/** The two kinds of logs of seed 003: what the front end asked and got, and what the agent said. A line of JSON each. */
async function openLogs(directory: string): Promise<Logs> {
  const stamp = new Date().toISOString().replace(/[-:]/g, '').replace('T', '_').slice(0, 15)
  const paths = [join(directory, `events_${stamp}.log`), join(directory, `agent_engine_raw_${stamp}.log`)] as const
  try {
    await mkdir(directory, { recursive: true })
    const [events, raw] = await Promise.all(paths.map(opened))
    const write = (log: WriteStream | undefined, place: { threadId: string; runId: string }, what: object) => {
      const line = { timestamp: new Date().toISOString(), thread_id: place.threadId, run_id: place.runId, ...what }
      log?.write(`${JSON.stringify(line)}\n`)
    }
    return {
      paths: [...paths],
      tap: {
        request: (messages, { threadId, runId }) =>
          write(events, { threadId, runId }, { request: { threadId, runId, messages } }),
        agui: (event, place) => write(events, place, { event }),
        raw: (event, place) => write(raw, place, { raw: event }),
      },
      async close() {
        for (const log of [events, raw]) if (log) await finished(log.end())
      },
    }
  } catch (error) {
    throw fileComplaint(`The logs cannot be written to ${directory}`, error)
  }
}

async function opened(path: string): Promise<WriteStream> {
  const log = createWriteStream(path, { flags: 'a', mode: 0o600 })
  const { promise, resolve: open, reject } = Promise.withResolvers<void>()
  log.once('open', () => open()).once('error', reject)
  await promise
  // A disk that is full later shall not end the conversations.
  return log.on('error', () => undefined)
}
