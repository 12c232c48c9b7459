import type { ScoreSummary } from '@llm-eval/protocol'
import { sql } from '#kysely'
import { decodeEvent, type Joined } from '../events.ts'
import type { Reading } from '../reading.ts'
import type { Queries, StoredEvent, StoredScore } from '../store.ts'
import { eventKinds } from '../transaction.ts'
import { eventScores, scoresOf } from './scores.ts'
import { type SummaryRow, summaryColumns, toSummary } from './summary.ts'

/** About what an event takes beside its texts as a frame of a stream, in bytes. */
const eventBytes = 500

/** The journal's life, beginning and end. */
export async function head(reading: Reading): Promise<Queries['head']['out']> {
  const { epoch, firstSeq, seq } = await readHead(reading)
  return { epoch, firstSeq, seq }
}

async function readHead(reading: Reading): Promise<Queries['head']['out'] & { anyScore: boolean }> {
  const row = await reading.db
    .selectFrom('heads')
    .innerJoin('meta', (join) => join.on('meta.name', '=', 'epoch'))
    .select((eb) => [
      'heads.seq',
      'heads.first_seq',
      'meta.value',
      eb
        .exists(eb.selectFrom('scores').select('ref').where('scores.project_id', '=', reading.projectId))
        .as('any_score'),
    ])
    .where('heads.project_id', '=', reading.projectId)
    .executeTakeFirstOrThrow()
  // SQLite says 0 and 1.
  return { epoch: row.value, firstSeq: row.first_seq, seq: row.seq, anyScore: Boolean(row.any_score) }
}

/** Events after a place, with the text that deletion has left of their traces. */
export async function events(reading: Reading, query: Queries['events']['in']): Promise<Queries['events']['out']> {
  // Head first: an event committed between the two statements is newer than this head, never missing below it.
  const { anyScore, ...now } = await readHead(reading)
  const rows = await reading.db
    .selectFrom('events')
    .leftJoin('traces', 'traces.ref', 'events.ref')
    .select([
      'events.seq',
      'events.at',
      'events.kind',
      'events.ref as event_ref',
      'events.run',
      'events.data',
      ...summaryColumns,
    ])
    .where('events.project_id', '=', reading.projectId)
    .where('events.seq', '>', query.after)
    .orderBy('events.seq')
    .limit(query.limit)
    .execute()
  const reviewers = await reviewersOf(
    reading,
    rows.flatMap((row) => (row.kind === eventKinds.reviewed && row.event_ref !== null ? row.event_ref : [])),
  )
  const scores = await scoresIn(reading, rows, anyScore)
  const reports = await reportsIn(reading, rows)
  const threads = await threadsIn(reading, rows)
  const page: StoredEvent[] = []
  let bytes = 0
  for (const row of rows) {
    const [modelId] = JSON.parse(row.data) as number[]
    const hasModel = row.event_ref !== null && modelId !== undefined
    const model = hasModel ? await reading.modelName(modelId) : ''
    bytes += frameBytes(row, model)
    if (page.length > 0 && bytes > query.bytes) break
    const trace =
      row.ref === null ? null : await toSummary(reading, row as SummaryRow, scores.ofTraces.get(row.ref) ?? [])
    page.push(
      decodeEvent(
        { seq: row.seq, at: row.at, kind: row.kind, ref: row.event_ref, run: row.run, data: row.data },
        {
          trace,
          model: () => model,
          reviewer: (ref, version) => reviewers.get(`${ref}.${version}`) ?? null,
          score: (execution) => scores.ofExecutions.get(execution) ?? null,
          report: (ref) => reports.get(ref) ?? null,
          thread: (conversation) => threads.get(conversation) ?? null,
        },
      ),
    )
  }
  const last = page.at(-1)?.seq ?? 0
  return { events: page, head: last > now.seq ? { ...now, seq: last } : now }
}

interface Scores {
  ofTraces: Map<number, ScoreSummary[]>
  ofExecutions: Map<number, StoredScore>
}

/** The scores that a page of events shows; where a project has none at all, nobody asks. */
async function scoresIn(
  reading: Reading,
  rows: readonly { ref: number | null; kind: number; data: string }[],
  anyScore: boolean,
): Promise<Scores> {
  if (!anyScore) return { ofTraces: new Map(), ofExecutions: new Map() }
  const refs = new Set(rows.flatMap((row) => row.ref ?? []))
  const scored = rows.filter((row) => row.kind === eventKinds.scored)
  const executions = scored.flatMap((row) => (JSON.parse(row.data) as number[])[1] ?? [])
  return { ofTraces: await scoresOf(reading, [...refs]), ofExecutions: await eventScores(reading, executions) }
}

/** Reports of agent tests that a page of events tells of, as far as they are still there. */
async function reportsIn(
  { db, projectId }: Reading,
  rows: readonly { kind: number; data: string }[],
): Promise<Map<number, { id: string; suite: string }>> {
  const refs = rows.flatMap(({ kind, data }) =>
    kind === eventKinds.agent_tested ? ((JSON.parse(data) as number[])[0] ?? []) : [],
  )
  if (refs.length === 0) return new Map()
  const found = await db
    .selectFrom('agent_reports')
    .select(['ref', 'id', 'suite'])
    .where('project_id', '=', projectId)
    .where('ref', 'in', refs)
    .execute()
  return new Map(found.map(({ ref, id, suite }) => [ref, { id, suite }]))
}

/** Ids of the conversations that a page of events tells of, as far as they are still there. */
async function threadsIn(
  { db, projectId }: Reading,
  rows: readonly { kind: number; data: string }[],
): Promise<Map<number, string>> {
  const refs = rows.flatMap(({ kind, data }) =>
    kind === eventKinds.conversation_changed ? ((JSON.parse(data) as number[])[0] ?? []) : [],
  )
  if (refs.length === 0) return new Map()
  const found = await db
    .selectFrom('conversations')
    .select(['ref', 'thread_id'])
    .where('project_id', '=', projectId)
    .where('thread_id', 'is not', null)
    .where('ref', 'in', [...new Set(refs)])
    .execute()
  return new Map(found.map((row) => [row.ref, row.thread_id ?? '']))
}

/** About what an event takes as a frame of a stream; the ids of the trace and its model stand there twice. */
function frameBytes(row: Nullable<SummaryRow>, model: string): number {
  const { trace_id: id, query_preview: query, response_preview: response, source, session_id, user_id } = row
  const texts = [id, id, model, model, query, response, source, session_id, user_id]
  return texts.reduce((sum, text) => sum + (text === null ? 0 : Buffer.byteLength(text)), eventBytes)
}

type Nullable<Row> = { [Column in keyof Row]: Row[Column] | null }

async function reviewersOf(reading: Reading, refs: number[]): Promise<Map<string, string | null>> {
  if (refs.length === 0) return new Map()
  const rows = await reading.db
    .selectFrom('reviews')
    .select(['ref', 'version', 'reviewer'])
    .where('ref', 'in', refs)
    .execute()
  return new Map(rows.map((row) => [`${row.ref}.${row.version}`, row.reviewer]))
}

/** Which projects a consumer should look at. */
export async function behind(reading: Reading, query: Queries['behind']['in']): Promise<Queries['behind']['out']> {
  const rows = await reading.db
    .selectFrom('heads')
    .leftJoin('consumers as c', (join) =>
      join.onRef('c.project_id', '=', 'heads.project_id').on('c.name', '=', query.consumer),
    )
    .select('heads.project_id')
    .where((eb) => eb('heads.seq', '>', eb.fn.coalesce('c.seq', eb.lit(0))))
    .where((eb) =>
      eb.or([eb('c.owner', 'is', null), eb('c.owner', '=', query.owner), eb('c.lease_until', '<=', query.at)]),
    )
    .orderBy('heads.project_id')
    .execute()
  return rows.map((row) => row.project_id)
}

const bare: Joined = {
  trace: null,
  model: () => '',
  reviewer: () => null,
  score: () => null,
  report: () => null,
  thread: () => null,
}

/** The bare journal. */
export async function facts(reading: Reading, query: Queries['facts']['in']): Promise<Queries['facts']['out']> {
  const rows = await reading.db
    .selectFrom('events')
    .select(['seq', 'at', 'kind', 'ref', 'run', 'data'])
    .where('project_id', '=', reading.projectId)
    .where('seq', '>', query.after)
    .orderBy('seq')
    .limit(query.limit)
    .execute()
  return rows.map((row) => decodeEvent(row, bare))
}

/** What the search index reads of traces: query and response. */
export async function searchTexts(
  reading: Reading,
  query: Queries['searchTexts']['in'],
): Promise<Queries['searchTexts']['out']> {
  if (query.refs.length === 0) return { texts: [], left: [] }
  const sizes = await reading.db
    .selectFrom('traces')
    .innerJoin('bodies', 'bodies.ref', 'traces.ref')
    .select(['traces.ref', sql<number>`octet_length(bodies.body)`.as('bytes')])
    .where('traces.project_id', '=', reading.projectId)
    .where('traces.ref', 'in', query.refs)
    .orderBy('traces.ref')
    .execute()
  let bytes = 0
  const end = sizes.findIndex((row, i) => (bytes += row.bytes) > query.bytes && i > 0)
  const now = (end < 0 ? sizes : sizes.slice(0, end)).map((row) => row.ref)
  const left = end < 0 ? [] : sizes.slice(end).map((row) => row.ref)
  if (now.length === 0) return { texts: [], left }
  const rows = await reading.db.selectFrom('bodies').selectAll().where('ref', 'in', now).execute()
  const texts = rows.map((row) => {
    const body = JSON.parse(row.body) as { user_query: string; ai_response: string }
    return { ref: row.ref, text: `${body.user_query}\n${body.ai_response}` }
  })
  return { texts, left }
}

export async function lags(reading: Reading): Promise<Queries['lags']['out']> {
  const now = await head(reading)
  const consumer = await reading.db
    .selectFrom('consumers')
    .select('seq')
    .where('project_id', '=', reading.projectId)
    .where('name', '=', 'rollups')
    .executeTakeFirst()
  return { search: await reading.searchLag(), rollups: now.seq - (consumer?.seq ?? 0) }
}
