import { setTimeout as wait } from 'node:timers/promises'
import { applyChanges } from '../changes/apply.ts'
import { BadData, commitBisecting, type Executor, type Settled, type Unit } from '../group.ts'
import { ingestAll } from '../ingest.ts'
import type { Change, ChangeKind, Ingest } from '../store.ts'
import { Ledger, type Transaction } from '../transaction.ts'
import type { Session, Sessions } from './connection.ts'
import { LostRace, toFailure, Unavailable } from './failures.ts'
import { KnownModels, TransactionModels } from './models.ts'
import { both, PostgresRows } from './rows.ts'

/** How often a transaction that lost a race is run before its callers are told to come back later. */
const attempts = 8
/** Two rows with one key this often in a row are no race. */
const collisions = 3
/** Milliseconds to wait before the second attempt, at most; doubles with each. */
const firstPause = 10

/**
 * What each transaction begins with. A process that hangs in the middle of a commit would hold up all others: the server
 * ends its session. Where the server would acknowledge commits that are not on disk, it is told otherwise ($2 says how).
 */
const beginSettings = `
SELECT set_config('idle_in_transaction_session_timeout', '10s', true), set_config('statement_timeout', '25s', true),
  set_config('synchronous_commit', coalesce($2, CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END), true),
  EXISTS (SELECT 1 FROM heads WHERE project_id = $1) AS known`

/** Changes of traces that exist and of what stands on them, of runs, of agent tests, and of conversations. They take turns per project, so that none sees another's half-way. */
const touchesTraces = new Set<ChangeKind>([
  'review',
  'deleteTrace',
  'eraseUser',
  'expireTraces',
  'putSpans',
  'takeExecutions',
  'holdExecutions',
  'releaseExecutions',
  'noteProgress',
  'finishExecution',
  'cancelExecution',
  'expireExecutions',
  'deleteRule',
  'createRun',
  'updateRun',
  'startRun',
  'takeRuns',
  'holdRuns',
  'releaseRuns',
  'abandonRuns',
  'addItems',
  'endRun',
  'cancelRun',
  'resumeRun',
  'deleteRun',
  'expireRuns',
  'putAgentReport',
  'deleteAgentReport',
  'deleteAgentSuite',
  'expireAgentReports',
  'putAgentBaseline',
  'deleteAgentBaseline',
  'putAgentQuarantine',
  'deleteAgentQuarantine',
  'appendConversation',
  'holdConversations',
  'deleteConversation',
  'expireConversations',
])

function takesTurns(change: Change): boolean {
  if (change.kind === 'startExecutions') return change.executions.some(({ traceId }) => traceId !== null)
  if (change.kind === 'advanceConsumer') return change.effects.some(({ kind }) => kind === 'executions')
  return touchesTraces.has(change.kind)
}

type End = 'COMMIT' | 'ROLLBACK'

export interface PostgresWriterOptions {
  /** Makes tombstones unlinkable to ids without the database. */
  salt: string
  /** `normal`: a commit is acknowledged before it is on the server's disk. */
  synchronous: 'full' | 'normal'
  onCommit: (projectId: number, seq: number) => void
}

/** Runs groups of units of one project, each in a transaction; several at the same time. */
export class PostgresWriter implements Executor {
  readonly #sessions: Sessions
  readonly #options: PostgresWriterOptions
  readonly #models = new KnownModels()
  readonly #withTombstones = new Set<number>()

  constructor(sessions: Sessions, options: PostgresWriterOptions) {
    this.#sessions = sessions
    this.#options = options
  }

  /** Commits a group. Throws only when the database takes no writes at all. */
  async commitGroup(units: Unit[]): Promise<Settled[]> {
    try {
      return await commitBisecting(units, this)
    } catch (error) {
      throw toFailure(error)
    }
  }

  commit(units: Unit[]): Promise<unknown[]> {
    return this.#persist(units, 'COMMIT')
  }

  async probe(units: Unit[]): Promise<void> {
    await this.#persist(units, 'ROLLBACK')
  }

  /** Runs the transaction again when it lost a race, or met a connection that had died while nobody used it. */
  async #persist(units: Unit[], end: End): Promise<unknown[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#sessions.use((session) => this.#transact(session, units, end))
      } catch (error) {
        if (error instanceof Unavailable && !(error instanceof NeverBegun && attempt < attempts)) throw error
        const again = error instanceof NeverBegun || (error instanceof LostRace && attempt < attempts)
        const collides = error instanceof LostRace && error.collision && attempt >= collisions
        if (collides || !(again || error instanceof LostRace))
          throw new BadData(error instanceof Error ? error.message : String(error), { cause: error })
        if (!again) throw error
        await wait(Math.random() * firstPause * 2 ** attempt)
      }
    }
  }

  async #transact(session: Session, units: Unit[], end: End): Promise<unknown[]> {
    const projectId = units[0]?.projectId ?? 0
    await this.#begin(session, projectId)
    try {
      const rows = new PostgresRows(session, projectId, this.#withTombstones)
      const models = new TransactionModels(projectId, this.#models, (names) => rows.models(names))
      const tx = this.#open(session, { projectId, models })
      const results = await this.#run({ tx, rows, models }, units)
      // Sent together: while it holds the project's head, the transaction waits for no round trip.
      const [ledger, ended] = await both(session.run<{ seq: number }>(rows.ledger(tx.ledger)), session.run(end))
      if (ended.command !== end) throw new Unavailable(`the server answered ${end} with ${ended.command}`, true)
      const seq = ledger.rows[0]?.seq ?? 0
      if (end === 'COMMIT') {
        this.#models.add(projectId, models.fresh)
        if (tx.ledger.events.length > 0) this.#options.onCommit(projectId, seq)
      }
      return results.map((result, i) => (units[i]?.ingest ? { ...(result as object), seq } : result))
    } catch (error) {
      // After a failed last statement this is one ROLLBACK too many, at which the server only frowns.
      await session.run('ROLLBACK').catch(() => {
        session.broken = true
      })
      throw error
    }
  }

  async #begin(session: Session, projectId: number): Promise<void> {
    const values = [projectId, this.#options.synchronous === 'normal' ? 'off' : null]
    const settings = { name: 'begin_settings', text: beginSettings, values }
    try {
      const [, begun] = await both(session.run('BEGIN'), session.run<{ known: boolean }>(settings))
      if (begun.rows[0]?.known !== true) throw new RangeError(`there is no project ${projectId}`)
    } catch (error) {
      session.broken = true
      throw error instanceof Unavailable && error.disconnected ? new NeverBegun(error) : error
    }
  }

  #open(session: Session, own: { projectId: number; models: TransactionModels }): Transaction {
    return {
      db: session.db,
      dialect: 'postgres',
      projectId: own.projectId,
      ledger: new Ledger(),
      salt: this.#options.salt,
      modelId: (name) => own.models.id(name),
      takeRefs: () => null,
      noteTombstones: () => {
        this.#withTombstones.add(own.projectId)
      },
    }
  }

  /**
   * All traces of the group go in first, with one statement; then the changes, one by one; trimming last, because it locks
   * the head. All callers are waiting at the same time, so any order among them is right.
   */
  async #run(
    on: { tx: Transaction; rows: PostgresRows; models: TransactionModels },
    units: Unit[],
  ): Promise<unknown[]> {
    const { tx, rows } = on
    const results: unknown[] = units.map(() => undefined)
    const ingests = units.flatMap((unit, i) => (unit.ingest ? [{ request: unit.ingest, i }] : []))
    if (ingests.length > 0) {
      const requests = ingests.map(({ request }) => request)
      await on.models.fetch(requests.flatMap((request) => request.traces.map((trace) => trace.model)))
      await rows.noteMessages(requests.flatMap(messageOf))
      const ingested = await ingestAll(tx, rows, requests)
      ingests.forEach(({ i }, at) => {
        results[i] = ingested[at]
      })
      await rows.writeReceipts()
    }
    const changes = units.flatMap((unit, i) => (unit.change ? [{ change: unit.change, i }] : []))
    if (changes.some(({ change }) => takesTurns(change))) await rows.takeTurn()
    const trims = ({ change }: { change: Change }) => (change.kind === 'trimEvents' ? 1 : 0)
    const ordered = changes.toSorted((a, b) => trims(a) - trims(b))
    const outcomes = await applyChanges(
      tx,
      ordered.map(({ change }) => change),
    )
    ordered.forEach(({ i }, at) => {
      results[i] = outcomes[at]
    })
    return results
  }
}

function messageOf({ message, traces, receipt }: Ingest): { id: string; bodyHash: string; at: number }[] {
  return message ? [{ ...message, at: traces[0]?.receivedAt ?? receipt?.receivedAt ?? 0 }] : []
}

/** The connection was dead before the transaction began: nothing was tried. */
class NeverBegun extends Unavailable {
  constructor(cause: Unavailable) {
    super(cause, true)
  }
}
