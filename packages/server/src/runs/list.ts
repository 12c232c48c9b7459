import { Failure, type Run } from '@llm-eval/protocol'
import type { runsQuery } from '@llm-eval/protocol/run-schemas'
import type { Store } from '@llm-eval/store'
import type * as z from 'zod'
import { toRun } from '../running/wire.ts'
import { mapInTurns } from './in-turns.ts'

type Query = z.infer<typeof runsQuery>

/**
 * A page of the runs of a project.
 *
 * @throws {Failure} `invalid_query`
 */
export async function listRuns(
  { store, now }: { store: Store; now: () => number },
  projectId: number,
  query: Query,
): Promise<{ items: Run[]; next_cursor: string | null }> {
  const order = query.order_by === 'duration_seconds' ? 'duration' : query.order_by
  const direction = query.descending === 'true' ? 'descending' : 'ascending'
  const { limit, cursor = null } = query
  const filter = filterOf(query)
  const page = await store.read(projectId, 'runs', { filter, order, direction, limit, cursor })
  if ('invalidCursor' in page) throw invalidCursor()
  const at = now()
  return { items: await mapInTurns(page.items, (stored) => toRun(stored, at)), next_cursor: page.nextCursor }
}

function filterOf(query: Query) {
  return {
    datasetName: query.dataset_name,
    modelName: query.model_name,
    status: query.status,
    createdBy: query.created_by,
    tags: query.tags,
    minSuccessRate: query.min_success_rate,
    maxWorkedMs: query.max_duration === undefined ? undefined : query.max_duration * 1_000,
    createdAfter: query.created_after,
    createdBefore: query.created_before,
    search: query.search,
  }
}

function invalidCursor(): Failure {
  const message = 'is not a cursor of this list: leave it out to start from its beginning'
  return new Failure('invalid_query', { errors: [{ path: 'cursor', message }] })
}
