import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** A real Postgres for this run, as a superuser. Make a database of your own in it: see packages/store/test/postgres.ts. */
    postgresUrl: string
  }
}

/** Vitest's global setup: one real Postgres for all test files, or the one named by TEST_DATABASE_URL. */
export default async function startPostgres(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env['TEST_DATABASE_URL']
  if (given) {
    project.provide('postgresUrl', given)
    return undefined
  }
  const script = fileURLToPath(new URL('postgres.mjs', import.meta.url))
  const server = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  project.provide('postgresUrl', await urlOf(server))
  return async () => {
    const ended = once(server, 'exit')
    server.stdin.end()
    await ended
  }
}

async function urlOf(server: ChildProcess): Promise<string> {
  if (server.stdout === null) throw new Error('Postgres was started without a pipe to read its URL from')
  for await (const line of createInterface({ input: server.stdout })) return (JSON.parse(line) as { url: string }).url
  throw new Error(
    'Postgres did not start; its own words are above. Or name a server by TEST_DATABASE_URL=postgresql://…',
  )
}
