import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { BridgeTap } from '@llm-eval/server'
import { Complaint, fileComplaint } from '../complaint.ts'
import { LogFile } from '../conversations/log-file.ts'
import { count } from '../display/amounts.ts'
import { oneLine } from '../display/width.ts'
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
  if (!isAddress(options))
    throw new Complaint(
      `--target ${oneLine(options.target)} is no address: http://localhost:8000, or with --agent-engine projects/…/locations/…/reasoningEngines/….`,
    )
  const logs =
    options.logDir === undefined ? undefined : await openLogs(resolve(terminal.cwd, options.logDir), terminal)
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

function isAddress({ target, agentEngine }: BridgeOptions): boolean {
  if (agentEngine && /^projects\/[^/]+\/locations\/[^/]+\/reasoningEngines\/[^/]+/.test(target)) return true
  return /^https?:\/\//.test(target) && URL.canParse(target)
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
async function openLogs(directory: string, { err }: Pick<Terminal, 'err'>): Promise<Logs> {
  const stamp = new Date().toISOString().replace(/[-:]/g, '').replace('T', '_').slice(0, 15)
  const paths = [join(directory, `events_${stamp}.log`), join(directory, `agent_engine_raw_${stamp}.log`)] as const
  try {
    await mkdir(directory, { recursive: true })
    const open = (path: string) => {
      const warn = (text: string) => err.line(`${err.paint('yellow', 'warning:')} ${path} ${text}`)
      return LogFile.open(path, {
        onBroken: ({ message }) => warn(`is not whole: ${message}`),
        onSlow: () => warn('is written slower than is said: lines are left out, and counted.'),
        onLost: (lines) => warn(`is not whole: ${count(lines)} ${lines === 1 ? 'line is' : 'lines are'} left out.`),
      })
    }
    const [events, raw] = await Promise.all([open(paths[0]), open(paths[1])])
    const write = (log: LogFile, { threadId, runId }: { threadId: string; runId: string }, what: object) =>
      log.write({ timestamp: new Date().toISOString(), thread_id: threadId, run_id: runId, ...what })
    return {
      paths: [...paths],
      tap: {
        request: (messages, { threadId, runId }) =>
          write(events, { threadId, runId }, { request: { threadId, runId, messages } }),
        agui: (event, place) => write(events, place, { event }),
        raw: (event, place) => write(raw, place, { raw: event }),
      },
      async close() {
        await Promise.all([events.close(), raw.close()])
      },
    }
  } catch (error) {
    throw fileComplaint(`The logs cannot be written to ${directory}`, error)
  }
}
