import { sql } from '#kysely'
import type { Reading } from '../reading.ts'
import { decodeRun, type EventItem, isRunKind } from '../run-events.ts'
import { toStoredItem } from '../run-items.ts'
import type { RunEvent, RunQueries } from '../run-queries.ts'
import { type EventKind, eventKinds } from '../transaction.ts'
import { head } from './journal.ts'
import { itemsAt, type ItemRow } from './run-items.ts'

/** About what an event takes beside its texts as a frame, in bytes. */
const eventBytes = 300

/** Events of one run, or those of all runs that are not about items. */
export async function runEvents(
  reading: Reading,
  query: RunQueries['runEvents']['in'],
): Promise<RunQueries['runEvents']['out']> {
  // Head first: an event committed between the two statements is newer than this head, never missing below it.
  const now = await head(reading)
  const { rows } = await selectEvents(reading, query).execute(reading.db)
  const decoded = rows.map(({ data, run, ...row }) => ({
    ...row,
    ref: run,
    bytes: data.length,
    ...decodeRun(JSON.parse(data) as (number | null)[]),
  }))
  const joined = await joinedTo(reading, query.ref, decoded)
  const events: RunEvent[] = []
  let bytes = 0
  for (const row of decoded) {
    const event = toEvent(row, joined)
    bytes += eventBytes + row.bytes + 2 * (event.item?.preview?.length ?? 0) + (event.item?.error?.message.length ?? 0)
    if (events.length > 0 && bytes > query.bytes) break
    events.push(event)
  }
  const last = events.at(-1)?.seq ?? 0
  return { events, head: last > now.seq ? { ...now, seq: last } : now }
}

interface EventRow {
  seq: number
  at: number
  kind: number
  run: number
  data: string
}

/** Each condition is spelled as in its index. SQLite has to be told: it would rather walk along all events. */
function selectEvents({ dialect, projectId }: Reading, { ref, after, limit }: RunQueries['runEvents']['in']) {
  const along = (index: string) => sql.raw(dialect === 'sqlite' ? `events INDEXED BY ${index}` : 'events')
  const [source, which] =
    ref === null
      ? [along('events_of_runs'), sql`kind >= 11 AND kind <= 14`]
      : [along('events_by_run'), sql`run IS NOT NULL AND run = ${ref}`]
  return sql<EventRow>`
    SELECT seq, at, kind, run, data FROM ${source}
    WHERE project_id = ${projectId} AND seq > ${after} AND ${which} ORDER BY seq LIMIT ${limit}`
}

interface Joined {
  ids: ReadonlyMap<number, string>
  items: ReadonlyMap<number, ItemRow>
}

async function joinedTo(
  reading: Reading,
  ref: number | null,
  rows: readonly { ref: number; item: EventItem | null }[],
): Promise<Joined> {
  const refs = [...new Set(rows.map((row) => row.ref))]
  if (refs.length === 0) return { ids: new Map(), items: new Map() }
  const runs = await reading.db.selectFrom('runs').select(['ref', 'id']).where('ref', 'in', refs).execute()
  const ids = new Map(runs.flatMap((run) => (run.id === null ? [] : [[run.ref, run.id] as const])))
  const indexes = rows.flatMap((row) => (row.item ? row.item.itemIndex : []))
  return { ids, items: ref === null ? new Map() : await itemsAt(reading, ref, indexes) }
}

const kindNames = new Map(Object.entries(eventKinds).map(([name, number]) => [number as number, name as EventKind]))

function toEvent(
  row: { seq: number; at: number; kind: number; ref: number } & ReturnType<typeof decodeRun>,
  { ids, items }: Joined,
): RunEvent {
  const { seq, at, ref, data } = row
  const itemIndex = row.item?.itemIndex ?? null
  const item = itemIndex === null ? undefined : items.get(itemIndex)
  const kind = kindNames.get(row.kind)
  if (!kind || !isRunKind(kind)) throw new RangeError(`the journal says of a run what is none of it: ${row.kind}`)
  return { seq, at, kind, ref, id: ids.get(ref) ?? null, data, itemIndex, item: item ? toStoredItem(item, null) : null }
}
