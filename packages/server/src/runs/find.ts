import { Failure, limits, type RunStatus } from '@llm-eval/protocol'
import type { Store, StoredRun } from '@llm-eval/store'

/** Milliseconds after which the run of a client that says nothing is `abandoned`. */
export const clientLeaseMs = limits.runSilenceSeconds * 1_000

/** A run by its id. @throws {Failure} `run_not_found`, `run_deleted` */
export async function findRun(store: Store, projectId: number, id: string): Promise<StoredRun> {
  const run = await store.read(projectId, 'run', { id })
  if (run === null) throw missing({ result: 'not_found' })
  if (run === 'deleted') throw missing({ result: 'deleted' })
  return run
}

/** Why a change of a run was not made. */
type Refusal = { result: 'not_found' | 'deleted' | 'held' | 'not_over' } | { result: 'over'; status: RunStatus }

/** What a change gave of its run. @throws {Failure} for what it refused */
export function changed(outcome: { result: 'ok'; run: StoredRun } | Refusal): StoredRun {
  if (outcome.result === 'ok') return outcome.run
  throw missing(outcome)
}

function missing(outcome: Refusal): Failure {
  switch (outcome.result) {
    case 'not_found':
      return new Failure('run_not_found')
    case 'deleted':
      return new Failure('run_deleted')
    case 'held':
      return new Failure('run_held')
    case 'not_over':
      return new Failure('run_not_over')
    case 'over':
      return new Failure('run_over', { values: { status: outcome.status } })
  }
}
