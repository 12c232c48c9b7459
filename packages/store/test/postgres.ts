import { randomUUID } from 'node:crypto'
import { Client } from 'pg'

/** A database of its own for one test file; disposing of it drops it, whoever is still connected. */
export interface TestDatabase extends AsyncDisposable {
  url: string
}

/**
 * Makes an empty database in a Postgres server.
 *
 *     await using database = await createDatabase(inject('postgresUrl'))
 *
 * @param serverUrl of a superuser's connection to any database of that server
 */
export async function createDatabase(serverUrl: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await command(serverUrl, `create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => command(serverUrl, `drop database if exists ${name} with (force)`),
  }
}

async function command(serverUrl: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
