import { workerData } from 'node:worker_threads'
import { answer } from '../queries/answer.ts'
import { ModelNames, type Reading } from '../reading.ts'
import type { Queries, QueryName } from '../store.ts'
import { openConnection } from './connection.ts'
import { kyselyOn } from './session.ts'
import { SearchReader } from './search.ts'
import { serveThread } from './thread.ts'

const { path, searchPath } = workerData as { path: string; searchPath: string }
const connection = openConnection(path, {})
const db = kyselyOn(connection)
const names = new ModelNames()
const clock = () => performance.now()
const search = new SearchReader(connection, searchPath, clock)

serveThread({
  read: async ({ projectId, query, args }: { projectId: number; query: QueryName; args: Queries[QueryName]['in'] }) => {
    const reading: Reading = {
      db,
      dialect: 'sqlite',
      projectId,
      clock,
      modelName: (id) => names.name(db, id),
      search: async (terms, below) => search.find(projectId, terms, below),
      searchLag: async () => search.lag(projectId),
    }
    // One transaction a query: its statements see the same state.
    connection.exec('BEGIN')
    try {
      return await answer(reading, query, args)
    } finally {
      connection.exec('COMMIT')
    }
  },
  close: () => {
    search.close()
    connection.close()
  },
})
