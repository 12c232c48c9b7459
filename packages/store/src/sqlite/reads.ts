import { answer } from '../queries/answer.ts'
import { ModelNames, type Reading } from '../reading.ts'
import type { Queries, QueryName } from '../store.ts'
import type { Connection } from './connection.ts'
import { SearchReader } from './search.ts'
import { kyselyOn } from './session.ts'

/** A query as it crosses to a thread. */
export interface ReadCall {
  projectId: number
  query: QueryName
  args: Queries[QueryName]['in']
}

/** Answers queries on a connection that is in no transaction. */
export function createReads(connection: Connection, searchPath: string) {
  const db = kyselyOn(connection)
  const names = new ModelNames()
  const clock = () => performance.now()
  const search = new SearchReader(connection, searchPath, clock)
  return {
    async read({ projectId, query, args }: ReadCall): Promise<unknown> {
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
    close: () => search.close(),
  }
}
