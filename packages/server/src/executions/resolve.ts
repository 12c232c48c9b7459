import { type ExecutionStatus, Failure, parseCursor } from '@llm-eval/protocol'
import { resyncReason, type Store } from '@llm-eval/store'
import type { Followed } from './follow.ts'

/** Events that are read at a time. */
const page = 1_000

/** The executions that a stream is about: one, or those of a batch. */
interface Target {
  ids: Map<number, string>
  statuses: ExecutionStatus[]
}

/** @throws {Failure} `execution_not_found`, `batch_not_found` */
async function findTarget(
  store: Store,
  projectId: number,
  asked: { executionId: string } | { batchId: string },
): Promise<Target> {
  if ('executionId' in asked) {
    const stored = await store.read(projectId, 'execution', { id: asked.executionId })
    if (stored === null) throw new Failure('execution_not_found')
    return { ids: new Map([[stored.ref, stored.id]]), statuses: [stored.status] }
  }
  const rows = await store.read(projectId, 'batchExecutions', { batchId: asked.batchId })
  if (rows.length === 0) throw new Failure('batch_not_found')
  return { ids: new Map(rows.map(({ ref, id }) => [ref, id])), statuses: rows.map(({ status }) => status) }
}

/** Whether the journal after a place tells of the end of any of the executions. */
export async function endsAfter(
  store: Store,
  projectId: number,
  { ids, after }: { ids: ReadonlyMap<number, string>; after: number },
): Promise<boolean> {
  for (let from = after; ; ) {
    const events = await store.read(projectId, 'facts', { after: from, limit: page })
    if (events.some((event) => event.kind === 'execution_ended' && ids.has(event.ref))) return true
    const last = events.at(-1)
    if (last === undefined || events.length < page) return false
    from = last.seq
  }
}

/** One execution or a batch, after a cursor or from now on. */
export type Wanted = ({ executionId: string } | { batchId: string }) & { after: string | undefined }

/** What a reader follows, and from where on. @throws {Failure} `execution_not_found`, `batch_not_found`, `invalid_query` */
export async function resolveFollowed(
  { store }: { store: Store },
  projectId: number,
  wanted: Wanted & { header?: string | undefined },
): Promise<{ followed: Followed; target: Target }> {
  const { header, after } = wanted
  const given = header ?? after
  const cursor = given === undefined ? undefined : parseCursor(given)
  if (given !== undefined && header === undefined && cursor === undefined) {
    const message = 'must be the id of a message of this stream'
    throw new Failure('invalid_query', { errors: [{ path: 'after', message }] })
  }
  const head = await store.read(projectId, 'head', {})
  const target = await findTarget(store, projectId, wanted)
  // A cursor that cannot be resumed is none: frames tell how things stand, so nothing is missed.
  const resumed = cursor !== undefined && resyncReason(head, cursor) === undefined ? cursor.seq : undefined
  return { followed: { projectId, epoch: head.epoch, ids: target.ids, after: resumed }, target }
}
