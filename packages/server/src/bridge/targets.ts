import { execFile } from 'node:child_process'
import type { IncomingHttpHeaders } from 'node:http'
import { type AdkClient, AgentFailed, type Called, concealed, createAdkClient, secretsOf } from '@llm-eval/agents'
import type { TargetSettings } from '../config/targets.ts'

/** What the bridge takes from outside. */
export interface Outside {
  fetch: typeof globalThis.fetch
  env: Readonly<Record<string, string | undefined>>
  /** What a command prints. */
  printed: (command: readonly string[], signal: AbortSignal) => Promise<string>
}

/** An agent behind the bridge. */
export interface Target extends Called {
  name: string
  kind: TargetSettings['kind']
  url: string
  /** Null where an api server has to tell it. */
  appName: string | null
  userId: string
  /** Milliseconds of silence, until it is given up. */
  timeoutMs: number
  /** Undefined of agents of AG-UI. */
  client: AdkClient | undefined
  /** The headers of a request that go on to the agent. */
  forwarded: (headers: IncomingHttpHeaders) => Record<string, string>
  /** What the agent says of a failure, without the keys that it was asked with. `forwarded`: those of this request. */
  conceal: (message: string, forwarded: Readonly<Record<string, string>>) => string
}

/** The agents of a configuration, by name. */
export function createTargets(
  settings: Readonly<Record<string, TargetSettings>>,
  outside: Outside,
): ReadonlyMap<string, Target> {
  return new Map(Object.entries(settings).map(([name, one]) => [name, createTarget(name, one, outside)]))
}

function createTarget(name: string, settings: TargetSettings, outside: Outside): Target {
  const { kind, app_name: appName, user_id: userId, forward_headers: rules } = settings
  const { url, headers } = splitAddress(settings)
  const issued: string[] = []
  const credentials = remembering(credentialsOf(settings, outside), issued)
  const called = credentials === undefined ? { headers } : { headers, credentials }
  const client =
    kind === 'agui' ? undefined : createAdkClient({ ...called, kind, url, appName, userId }, { fetch: outside.fetch })
  return {
    ...called,
    name,
    kind,
    url,
    appName: kind === 'adk' ? appName : (appName ?? name),
    userId,
    timeoutMs: settings.timeout_seconds * 1_000,
    client,
    conceal: (message, own) => concealed(message, [...secretsOf({ ...headers, ...own }), ...issued]),
    forwarded: (given) =>
      Object.fromEntries(
        Object.entries(rules).flatMap(([from, to]) => {
          const value = given[from.toLowerCase()]
          return typeof value === 'string' ? [[to.toLowerCase(), value]] : []
        }),
      ),
  }
}

/** Keeps the newest keys that were made, by which they are known when they are said back. */
function remembering(credentials: Called['credentials'], issued: string[]): Called['credentials'] {
  return (
    credentials &&
    (async (signal) => {
      const made = await credentials(signal)
      const fresh = secretsOf(made).filter((secret) => !issued.includes(secret))
      issued.splice(0, Math.max(0, issued.length + fresh.length - mostIssued))
      issued.push(...fresh)
      return made
    })
  )
}

/** A header counts twice: as a whole, and without its scheme. */
const mostIssued = 8

/** A name and password in the address become a header, as in browsers. */
function splitAddress({ url, headers }: TargetSettings): { url: string; headers: Record<string, string> } {
  if (!URL.canParse(url)) return { url, headers }
  const address = new URL(url)
  const { username, password } = address
  if (username === '' && password === '') return { url, headers }
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  address.username = ''
  address.password = ''
  return { url: address.href, headers: { authorization: `Basic ${credentials}`, ...headers } }
}

/** Milliseconds for which a token that a command printed is used again; Google's live an hour. */
const tokenMs = 240_000

function credentialsOf(
  { token_env: tokenEnv, token_command: command, api_key_env: keyEnv }: TargetSettings,
  { env, printed }: Outside,
): Called['credentials'] {
  let cached: { at: number; token: string } | undefined
  const fromCommand = async (line: readonly string[], signal: AbortSignal) => {
    const at = performance.now()
    if (cached === undefined || at - cached.at > tokenMs) cached = { at, token: (await printed(line, signal)).trim() }
    return cached.token
  }
  if (tokenEnv === null && command === null && keyEnv === null) return undefined
  return async (signal) => {
    if (keyEnv !== null) return { 'x-goog-api-key': named(env, keyEnv) }
    const token = command === null ? named(env, tokenEnv ?? '') : await fromCommand(command, signal)
    return { authorization: `Bearer ${token}` }
  }
}

function named(env: Outside['env'], name: string): string {
  const value = env[name]
  if (value !== undefined && value !== '') return value
  const message = `The environment of the server has no ${name}, which the configuration names for this target.`
  throw new AgentFailed({ code: 'invalid_request', message })
}

/** Milliseconds that a command for a token may take. */
const commandMs = 30_000

/** Runs a command and gives back what it prints. What it says when it fails is for the operator, and not told. */
export function printedBy([file = '', ...args]: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { signal, timeout: commandMs, maxBuffer: 65_536 }, (error, stdout) => {
      if (!error) return resolve(stdout)
      const message = `The command ${file} for the token of this target failed.`
      reject(new AgentFailed({ code: 'invalid_request', message }))
    })
  })
}
