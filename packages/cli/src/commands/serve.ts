import { setFlagsFromString } from 'node:v8'
import { type BridgeTap, type Config, createLog, loadConfig, type RunningServer, startServer } from '@llm-eval/server'
import { Complaint, exitCodes, fileComplaint, systemCode } from '../complaint.ts'
import { dashboard } from '../dashboard.ts'
import { prettyLog } from '../display/log.ts'
import { type ServeOptions, sourcesOf } from '../settings.ts'
import type { Terminal } from '../terminal.ts'
import { ownVersion } from '../version.ts'

/** `llm-eval serve`: serves until it is told to stop, then drains. */
export function serve(terminal: Terminal, options: ServeOptions): Promise<number> {
  return serveWith(terminal, options)
}

/** What a command serves beside what `serve` does. */
export interface ServeMore {
  /** Settings, over all others. */
  flags?: Record<string, unknown>
  tap?: BridgeTap
  /** Lines of the banner, in place of how to send a trace. */
  banner?: (url: string) => [string, string][]
}

/** Serves until it is told to stop, then drains. */
export async function serveWith(terminal: Terminal, options: ServeOptions, more: ServeMore = {}): Promise<number> {
  if (options.url !== undefined || options.key !== undefined)
    throw new Complaint('This starts a server of its own: it takes --host and --port, not --url or --key.')
  const { signal, err } = terminal
  const sources = sourcesOf(terminal, options)
  const { config } = await loadConfig({ ...sources, flags: { ...sources.flags, ...more.flags } })
  const log = err.isTTY ? createLog(config, prettyLog(err)) : createLog(config)
  const tap = more.tap === undefined ? {} : { tap: more.tap }
  const server = await start(config, { config, log, version: ownVersion(), ...tap, ...dashboard() })
  banner(terminal, { server, config, lines: more.banner?.(config.public_url ?? server.url) })
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }
  if (err.isTTY) err.line('\nFinishing what was accepted …')
  await server.close()
  if (err.isTTY) err.line('Stopped. Everything that was accepted is stored.')
  return exitCodes.ok
}

async function start(config: Config, options: Parameters<typeof startServer>[0]): Promise<RunningServer> {
  try {
    const server = await startServer(options)
    // From here on speed counts again (see bin/llm-eval.js).
    setFlagsFromString('--no-optimize-for-size')
    return server
  } catch (error) {
    throw await startComplaint(config, error)
  }
}

async function startComplaint(config: Config, error: unknown): Promise<unknown> {
  const { host, port, data } = config
  const code = systemCode(error)
  const syscall = error instanceof Error && 'syscall' in error ? error.syscall : undefined
  if (code === 'EADDRINUSE')
    return new Complaint(
      `Port ${port} on ${host} is in use by ${await whoListens(config)}. Stop it, or choose another: --port ${port + 1}`,
    )
  if (code === 'EACCES' && syscall === 'listen')
    return new Complaint(`Port ${port} needs more rights than this user has. Choose one above 1023: --port 8000`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new Complaint(`${host} is no address of this machine. Use --host 127.0.0.1, or 0.0.0.0 for all of them.`)
  if (code?.startsWith('SQLITE_CANTOPEN')) return new Complaint(`The data directory ${data} cannot be written.`)
  if (code !== undefined && error instanceof Error && 'path' in error)
    return fileComplaint(`The data directory ${data} cannot be used`, error)
  return error
}

/** Whether an address stands for all addresses of the machine. */
function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** Whether it is one of us that has the port. */
async function whoListens({ host, port }: Config): Promise<string> {
  const name = isEverywhere(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const url = `http://${name}:${port}`
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(1_000) })
    const health: unknown = await response.json()
    const ours = typeof health === 'object' && health !== null && 'status' in health && 'version' in health
    return ours ? `another llm-eval server (${url})` : 'another program'
  } catch {
    return 'another program'
  }
}

/** The sample of the documentation; without a time of its own it stands in the plots of now. */
const sample = `{
  "trace_id": "unique_trace_id", "model_name": "gpt-4",
  "user_query": "What is machine learning?", "system_prompt": "You are a helpful AI assistant",
  "ai_response": "Machine learning is a subset of artificial intelligence...",
  "functions_called": [{"name": "search_knowledge_base", "parameters": {"query": "machine learning"},
    "result": "Found 15 relevant articles"}],
  "metadata": {"temperature": 0.7, "max_tokens": 1000, "user_id": "user_123"},
  "tokens_used": 245, "response_time_ms": 850, "cost": 0.0012
}`

interface Shown {
  server: RunningServer
  config: Config
  lines: [string, string][] | undefined
}

function banner({ out }: Terminal, { server, config, lines: more }: Shown): void {
  const { url, signInUrl, adminKeyPath } = server
  const storage = config.database_url === null ? config.data : `Postgres at ${new URL(config.database_url).host}`
  const lines: [string, string][] = [
    ['Dashboard', out.paint('bold', config.public_url ?? url)],
    ['Data', storage],
  ]
  if (signInUrl !== undefined) lines.push(['Sign in', `${signInUrl}  (once, within 15 minutes)`])
  if (adminKeyPath !== undefined) lines.push(['Admin key', adminKeyPath])
  if (isEverywhere(config.host) && config.public_url === null)
    lines.push(['', `From other machines, write this one's name or address instead of ${new URL(url).hostname}.`])
  const key = adminKeyPath === undefined ? '' : ` -H "x-api-key: $(cat '${adminKeyPath}')"`
  const sending = [
    '  Send a trace and see it appear:',
    '',
    `curl ${url}/webhook/trace -H 'content-type: application/json'${key} -d '${sample}'`,
    '',
  ]
  const text = [
    '',
    `  ${out.paint('bold', 'llm-eval')} ${ownVersion()}`,
    '',
    ...[...lines, ...(more ?? [])].map(([name, value]) => `  ${name.padEnd(10)} ${value}`),
    '',
    ...(more === undefined ? sending : []),
  ]
  out.line(text.join('\n'))
}
