import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { reopenable } from '../contract/reopen.contract.ts'
import { storeContract } from '../store.contract.ts'

storeContract('SQLite', async (options = {}) => {
  const directory = mkdtempSync(join(tmpdir(), 'llm-eval-store-'))
  const end = async () => rmSync(directory, { recursive: true })
  return reopenable({ ...options, directory }, { dump: async () => dump(directory), end })
})

function dump(directory: string): string {
  return readdirSync(directory)
    .filter((file) => file === 'llm-eval.db' || file === 'search.db')
    .map((file) => {
      const db = new Database(join(directory, file), { readonly: true })
      const tables = db.prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").all()
      const rows = tables.map(({ name }) => JSON.stringify([name, db.prepare(`SELECT * FROM "${name}"`).all()]))
      db.close()
      return rows.join('\n')
    })
    .join('\n')
}
