import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { expect, inject, test } from 'vitest'
import { createDatabase } from './postgres.ts'

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return Object.values((await client.query<Record<string, unknown>>(sql)).rows[0] ?? {})[0]
  } finally {
    await client.end()
  }
}

test('tests have a real Postgres that syncs its commits to disk', async () => {
  expect(await ask(inject('postgresUrl'), 'show fsync')).toBe('on')
})

test('a database of one test is dropped when it is disposed of, even under an open connection', async () => {
  const server = inject('postgresUrl')
  const database = await createDatabase(server)
  const name = new URL(database.url).pathname.slice(1)
  const left = new Client({ connectionString: database.url })
  left.on('error', () => {})
  await left.connect()
  const gone = new Promise<void>((resolve) => left.once('end', resolve))
  await database[Symbol.asyncDispose]()
  await gone
  expect(await ask(server, `select count(*)::int from pg_database where datname = '${name}'`)).toBe(0)
})

test('the server stops and leaves nothing behind when the process that asked for it is killed', async () => {
  const script = fileURLToPath(new URL('../../../scripts/postgres.mjs', import.meta.url))
  // Asks for a server as the global setup does, and hands on what the server prints.
  const asking = `
    const server = require('node:child_process').spawn(process.execPath, [${JSON.stringify(script)}], { stdio: ['pipe', 'inherit', 'inherit'] })
    setInterval(() => {}, 1e6)`
  const parent = spawn(process.execPath, ['-e', asking], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: parent.stdout })
  const [line] = (await once(lines, 'line')) as [string]
  const { url } = JSON.parse(line) as { url: string }
  const data = String(await ask(url, 'show data_directory'))
  expect(existsSync(data)).toBe(true)

  parent.kill('SIGKILL')
  // The pipe closes when the last process that holds it has ended: that is the server's keeper.
  await once(parent, 'close')
  expect(existsSync(data)).toBe(false)
  await expect(ask(url, 'select 1')).rejects.toThrow('ECONNREFUSED')
})
