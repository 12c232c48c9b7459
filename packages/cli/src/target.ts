import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { LLMEvalClient, type ClientOptions } from 'llm-eval-sdk'
import { Complaint } from './complaint.ts'
import type { Terminal } from './terminal.ts'

/** Options that every command understands. */
export interface GlobalOptions {
  url?: string
  key?: string
  data?: string
  config?: string
  debug?: boolean
}

/** The server a command speaks to. */
export interface Target {
  url: string
  key: string | null
  /** Instead of the global `fetch`, where the server may change its place. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>
}

/** Where a server listens unless it was told otherwise. */
export const usualUrl = 'http://localhost:8000'

/**
 * Finds the server: the one that is named; else the one that holds the data directory; else http://localhost:8000.
 * Whoever may read the data directory may use the admin key that lies in it.
 */
export async function findTarget(terminal: Terminal, options: GlobalOptions): Promise<Target> {
  const key = givenKey(terminal, options)
  const named = namedUrl(terminal, options)
  if (named !== undefined) return { url: named, key }
  const directory = await dataDirectory(terminal, options)
  const owner = await ownerUrl(directory)
  if (owner === undefined) return { url: usualUrl, key }
  return { url: owner, key: key ?? (await adminKey(directory)) }
}

/** The key that the user names by flag or environment. */
export function givenKey({ env }: Terminal, options: GlobalOptions): string | null {
  return given(options.key) ?? given(env['LLM_EVAL_API_KEY']) ?? null
}

/** The URL that the user names by flag or environment, checked. */
export function namedUrl(terminal: Terminal, options: GlobalOptions): string | undefined {
  const flag = given(options.url)
  const url = flag ?? given(terminal.env['LLM_EVAL_URL'])
  if (url === undefined) return undefined
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || /[?#]/.test(url)) {
    const where = flag === undefined ? 'LLM_EVAL_URL' : '--url'
    const meant = URL.canParse(`http://${url}`) ? ` Did you mean http://${url}?` : ''
    throw new Complaint(`${where} must be a URL that begins with http:// or https://, not ${url}.${meant}`)
  }
  return url.replace(/\/+$/, '')
}

/** The data directory that the options, the environment or a configuration file name. */
export async function dataDirectory({ env, cwd }: Terminal, options: GlobalOptions): Promise<string> {
  const named = given(options.data)
  if (named !== undefined) return resolve(cwd, named)
  const hasFile = ['ts', 'json'].some((ending) => existsSync(resolve(cwd, `llm-eval.config.${ending}`)))
  if (options.config !== undefined || hasFile) {
    const { loadConfig } = await import('@llm-eval/server')
    const file = options.config === undefined ? {} : { file: options.config }
    return (await loadConfig({ env, cwd, ...file })).config.data
  }
  return resolve(cwd, given(env['LLM_EVAL_DATA']) ?? '.llm-eval')
}

/** Where the server listens that holds a data directory; undefined when none does. */
export async function ownerUrl(directory: string): Promise<string | undefined> {
  if (!existsSync(directory)) return undefined
  const { ownerOf } = await import('@llm-eval/store')
  const owner = ownerOf(directory)
  if (owner === null) return undefined
  if (owner.url === undefined)
    throw new Complaint(
      `Process ${owner.pid} holds the data directory ${directory} and does not listen (yet). Try again in a moment.`,
    )
  return owner.url
}

/** The SDK's client for a target; retries are for the single request. */
export function clientOf(target: Target, options: ClientOptions = {}): LLMEvalClient {
  return new LLMEvalClient(target.url, { apiKey: target.key, ...options })
}

/** The admin key that lies in a data directory. */
export async function adminKey(directory: string): Promise<string | null> {
  const text = await readFile(join(directory, 'admin.key'), 'utf8').catch(() => '')
  return given(text) ?? null
}

function given(text: string | undefined): string | undefined {
  const trimmed = text?.trim()
  return trimmed === '' ? undefined : trimmed
}
