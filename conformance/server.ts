import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A server that is held to a contract; nothing is known of it but its address. */
export interface Subject extends AsyncDisposable {
  url: string
  key: string
}

export interface SubjectOptions {
  /** Where the server finds an OpenAI-compatible provider of models. */
  provider: string
}

const cli = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url))

/**
 * The server at `CONFORMANCE_URL` (with the key in `CONFORMANCE_KEY`), which must have been given the provider at
 * `CONFORMANCE_PROVIDER_PORT`; without that, one of our own in a process and a directory of its own.
 */
export async function startSubject({ provider }: SubjectOptions): Promise<Subject> {
  const { CONFORMANCE_URL: url, CONFORMANCE_KEY: key = 'none' } = process.env
  if (url !== undefined) return { url, key, [Symbol.asyncDispose]: () => Promise.resolve() }
  const data = await mkdtemp(join(tmpdir(), 'llm-eval-conformance-'))
  const child = spawn(process.execPath, ['--conditions=llm-eval-source', cli, 'serve', '--port', '0', '--data', data], {
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      OPENAI_BASE_URL: provider,
      OPENAI_API_KEY: 'test',
      LLM_EVAL_DEFAULT_MODEL: 'openai/gpt-4.1-mini',
      LLM_EVAL_EMBEDDING_MODEL: 'openai/text-embedding-3-small',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'exit')
  return {
    url: await listening(child.stderr),
    key,
    async [Symbol.asyncDispose]() {
      child.kill()
      await ended
      await rm(data, { recursive: true, force: true })
    },
  }
}

/** The address in the line of the log that says that it listens. */
async function listening(log: NodeJS.ReadableStream): Promise<string> {
  const said: string[] = []
  for await (const line of createInterface({ input: log })) {
    said.push(line)
    const url = /"url":"(http[^"]+)"/.exec(line)?.[1]
    if (url === undefined) continue
    log.resume()
    return url
  }
  throw new Error(`the server did not start:\n${said.join('\n')}`)
}
