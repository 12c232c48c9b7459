import type { Scope } from '@llm-eval/protocol'
import type { Reading } from '../reading.ts'
import type { Queries, StoredKey } from '../store.ts'
import { timeText } from './summary.ts'

const time = (ms: number | null) => (ms === null ? null : timeText(ms))

function selectKeys(reading: Reading) {
  return reading.db
    .selectFrom('keys')
    .innerJoin('projects', 'projects.id', 'keys.project_id')
    .select([
      'keys.id',
      'keys.name',
      'keys.project_id',
      'projects.name as project',
      'keys.scopes',
      'keys.prefix',
      'keys.created_at',
      'keys.expires_at',
      'keys.revoked_at',
      'keys.last_used_at',
    ])
}

type KeyRow = Awaited<ReturnType<ReturnType<typeof selectKeys>['executeTakeFirstOrThrow']>>

function toKey(row: KeyRow): StoredKey {
  return {
    id: row.id,
    name: row.name,
    projectId: row.project_id,
    project: row.project,
    scopes: JSON.parse(row.scopes) as Scope[],
    prefix: row.prefix,
    created_at: timeText(row.created_at),
    expires_at: time(row.expires_at),
    revoked_at: time(row.revoked_at),
    last_used_at: time(row.last_used_at),
  }
}

/** The keys of a project; of all projects when asked from the default one. */
export async function keys(reading: Reading): Promise<Queries['keys']['out']> {
  let query = selectKeys(reading).orderBy('keys.created_at').orderBy('keys.id')
  if (reading.projectId !== 1) query = query.where('keys.project_id', '=', reading.projectId)
  return (await query.execute()).map((row) => {
    const { projectId: _, ...key } = toKey(row)
    return key
  })
}

/** A key by its hash, whatever its project. */
export async function keyByHash(
  reading: Reading,
  { hash }: Queries['keyByHash']['in'],
): Promise<Queries['keyByHash']['out']> {
  const row = await selectKeys(reading).where('keys.hash', '=', hash).executeTakeFirst()
  return row ? toKey(row) : null
}

export async function keyById(reading: Reading, { id }: Queries['keyById']['in']): Promise<Queries['keyById']['out']> {
  const row = await selectKeys(reading).where('keys.id', '=', id).executeTakeFirst()
  return row ? toKey(row) : null
}

export async function token(reading: Reading, query: Queries['token']['in']): Promise<Queries['token']['out']> {
  const row = await reading.db
    .selectFrom('tokens')
    .select('key_id')
    .where('hash', '=', query.hash)
    .where('kind', '=', query.kind)
    .where('expires_at', '>', query.at)
    .executeTakeFirst()
  return row ? { keyId: row.key_id } : null
}

export async function project(
  reading: Reading,
  { name }: Queries['project']['in'],
): Promise<Queries['project']['out']> {
  return (await reading.db.selectFrom('projects').select('id').where('name', '=', name).executeTakeFirst()) ?? null
}

export async function projects(reading: Reading): Promise<Queries['projects']['out']> {
  return reading.db.selectFrom('projects').select(['id', 'name']).orderBy('id').execute()
}
