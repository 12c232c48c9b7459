import { answer } from '../queries/answer.ts'
import { ModelNames, type Reading } from '../reading.ts'
import type { Queries, QueryName } from '../store.ts'
import type { Session, Sessions } from './connection.ts'
import { LostRace, toFailure, Unavailable } from './failures.ts'
import { PostgresSearch } from './search.ts'

/**
 * Queries whose statements must see one state. A trace and its body are two rows in two tables: without this, deletion
 * between them would look like damage. A list that is searched in pieces would skip or repeat rows when a piece grows
 * between its two statements. All others are one statement, or bear that a later one sees more (followers look again).
 */
const oneState = new Set<QueryName>(['trace', 'listTraces', 'pageTraces'])

/** Milliseconds in which connection after connection is tried while each turns out to be dead. */
const patience = 5_000

/** Answers queries on any free connection. */
export class PostgresReader {
  readonly #sessions: Sessions
  readonly #names = new ModelNames()

  constructor(sessions: Sessions) {
    this.#sessions = sessions
  }

  async read<Q extends QueryName>(projectId: number, query: Q, args: Queries[Q]['in']): Promise<Queries[Q]['out']> {
    const work = (session: Session) => this.#answer(session, { projectId, query, args })
    const deadline = performance.now() + patience
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#sessions.use(work)
      } catch (error) {
        // Connections that died while nobody used them are found out here, one by one; asking again harms nobody.
        const isDead = error instanceof Unavailable && error.disconnected
        const another = isDead && attempt <= this.#sessions.size && performance.now() < deadline
        const again = another || (attempt === 1 && (isDead || error instanceof LostRace))
        if (!again) throw toFailure(error)
      }
    }
  }

  async #answer<Q extends QueryName>(
    session: Session,
    asked: { projectId: number; query: Q; args: Queries[Q]['in'] },
  ): Promise<Queries[Q]['out']> {
    const reading = this.#reading(session, asked.projectId)
    if (!oneState.has(asked.query)) return answer(reading, asked.query, asked.args)
    const begun = session.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    try {
      await begun
      return await answer(reading, asked.query, asked.args)
    } finally {
      await session.run('COMMIT').catch(() => {
        session.broken = true
      })
    }
  }

  #reading(session: Session, projectId: number): Reading {
    const clock = () => performance.now()
    const search = new PostgresSearch(session.db, projectId, clock)
    return {
      db: session.db,
      dialect: 'postgres',
      projectId,
      clock,
      modelName: (id) => this.#names.name(session.db, id),
      search: (terms, below) => search.find(terms, below),
      searchLag: () => search.lag(),
    }
  }
}
