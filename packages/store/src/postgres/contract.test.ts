import { Client } from 'pg'
import { inject } from 'vitest'
import { createDatabase } from '../../test/postgres.ts'
import { reopenable } from '../contract/reopen.contract.ts'
import { storeContract } from '../store.contract.ts'

storeContract('Postgres', async (options = {}) => {
  const database = await createDatabase(inject('postgresUrl'))
  const end = async () => database[Symbol.asyncDispose]()
  const given = { ...options, directory: '', databaseUrl: database.url }
  return reopenable(given, { dump: () => dump(database.url), end })
})

async function dump(url: string): Promise<string> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const tables = await client.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
  )
  const dumps: string[] = []
  for (const { name } of tables.rows) {
    dumps.push(JSON.stringify([name, (await client.query<object>(`SELECT * FROM "${name}"`)).rows]))
  }
  await client.end()
  return dumps.join('\n')
}
