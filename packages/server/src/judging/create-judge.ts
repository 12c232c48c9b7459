import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Engine } from '@llm-eval/engine'
import type { Store } from '@llm-eval/store'
import type { Logger } from 'pino'
import type { JudgeMeters } from '../meters/judge-meters.ts'
import { createCatalogue } from './catalogue.ts'
import { createExecutions } from './executions.ts'
import { Holder } from './holder.ts'
import { ExecutionJournal } from './journal.ts'
import type { Judge } from './judge.ts'
import { Runner, type Steps } from './runner.ts'

export interface JudgeParts {
  store: Store
  engine: Engine
  now: () => number
  log: Logger
  meters: JudgeMeters
  /** Executions of judges that run at the same time. */
  judgeConcurrency: number
  /** The id of the project `default`. */
  home: number
  /** Aborts when the server starts to shut down. */
  closing: AbortSignal
}

/** A judge that works: it takes and runs executions until it is closed. */
export interface WorkingJudge extends Judge {
  readonly engine: Engine
  readonly journal: ExecutionJournal
  /** How far an execution is that runs in this process, as far as it told. */
  progress(projectId: number, id: string): Steps | undefined
  /** There are executions in a project that nobody holds. */
  wake(projectId: number): void
  /** Lets go of what has not ended, and ends the engine. */
  close(): Promise<void>
}

/** Puts the judge together and begins to run what an earlier process left behind. */
export async function createJudge(parts: JudgeParts): Promise<WorkingJudge> {
  const { store, engine, now, log } = parts
  // Only one process holds an embedded database, so what lies there under its name is its predecessor's.
  const owner = store.driver === 'sqlite' ? 'the process' : `${hostname().slice(0, 60)}.${process.pid}.${randomUUID()}`
  const catalogue = createCatalogue({ store, engine, now })
  const journal = new ExecutionJournal(store, (error) => log.error({ err: error }, 'the journal could not be read'))
  const runner = new Runner({ ...parts, owner, onRoom: () => holder.takeWanted() })
  const holder = new Holder({ ...parts, catalogue, runner, owner })
  const executions = createExecutions({ ...parts, catalogue, runner, journal, owner })
  await holder.start()
  return {
    engine,
    journal,
    catalogue,
    executions,
    progress: (projectId, id) => runner.progress(projectId, id),
    wake: (projectId) => holder.wake(projectId),
    async close() {
      journal.close()
      await holder.close()
      await runner.close()
      await engine.close()
    },
  }
}
