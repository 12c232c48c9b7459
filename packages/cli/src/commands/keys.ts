import { type ApiKey, type CreatedKey, routes, scopes as allScopes } from '@llm-eval/protocol'
import { createdKey, keyList } from '@llm-eval/protocol/answers'
import { keyInput } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import { Complaint, exitCodes } from '../complaint.ts'
import { localTime } from '../display/amounts.ts'
import { table } from '../display/table.ts'
import { oneLine } from '../display/width.ts'
import { ask, readAnswer } from '../http.ts'
import { findTarget, namedUrl, type GlobalOptions, ownerUrl } from '../target.ts'
import { sourcesOf } from '../settings.ts'
import type { Terminal } from '../terminal.ts'

/** Options of `llm-eval keys create`. */
export interface CreateOptions extends GlobalOptions {
  scopes: string[]
  expires?: string
  project?: string
  quiet?: boolean
  json?: boolean
}

/** Where keys are kept: behind a running server, or in a store that this process opens for the moment. */
interface KeyPlace {
  /** In words. */
  where: string
  create(wish: z.input<typeof keyInput>): Promise<CreatedKey>
  list(): Promise<ApiKey[]>
  revoke(id: string): Promise<boolean>
}

/** `llm-eval keys create`: makes a key and shows it, this once. */
export async function createKey(terminal: Terminal, name: string, options: CreateOptions): Promise<void> {
  const parsed = keyInput.safeParse({
    name,
    scopes: options.scopes,
    ...(options.expires === undefined ? {} : { expires_at: options.expires }),
    ...(options.project === undefined ? {} : { project: options.project }),
  })
  if (!parsed.success) throw new Complaint(parsed.error.issues.map((issue) => faultOf(issue)).join('; '))
  const wish = { ...parsed.data, expires_at: options.expires }
  await withKeys(terminal, options, async (place) => {
    const first = (await place.list()).every(({ revoked_at }) => revoked_at !== null)
    if (first) refuseLockout(parsed.data)
    const { key, ...made } = await place.create(wish)
    const { out } = terminal
    if (options.quiet) return out.line(key)
    if (options.json) return out.line(JSON.stringify({ ...made, key }))
    const until = made.expires_at === null ? 'does not expire' : `until ${localTime(made.expires_at)}`
    out.line(`Key "${oneLine(made.name)}" for project ${made.project}: ${made.scopes.join(', ')}; ${until}.`)
    out.line(`\n  ${out.paint('bold', key)}\n`)
    out.line(`It is shown this once. It was made ${place.where}; its id is ${made.id}.`)
    if (first) out.line('It is the first key: from now on the server asks everybody for one.')
  })
}

/** The first key closes an open server: without an admin key nobody could manage it over the network. */
function refuseLockout({ scopes, project = 'default', expires_at }: z.infer<typeof keyInput>): void {
  if (scopes.includes('admin') && project === 'default' && expires_at == null) return
  throw new Complaint(
    'The first key must be an admin key of the default project that does not expire, since from then on the server asks ' +
      'everybody for one: llm-eval keys create NAME --scopes admin',
  )
}

function faultOf({ path, message }: z.core.$ZodIssue): string {
  const flag = { name: 'The name', scopes: '--scopes', expires_at: '--expires', project: '--project' }[String(path[0])]
  const words = path[0] === 'scopes' && path.length > 1 ? `may hold ${allScopes.join(', ')}` : message
  return `${flag ?? 'The key'} ${words}.`
}

/** `llm-eval keys list`. */
export async function listKeys(
  terminal: Terminal,
  options: GlobalOptions & { json?: boolean; all?: boolean },
): Promise<void> {
  const { out, err } = terminal
  await withKeys(terminal, options, async (place) => {
    const keys = (await place.list()).filter(({ revoked_at }) => options.all || revoked_at === null)
    if (options.json) return out.line(JSON.stringify(keys))
    if (keys.length === 0) return err.line(`There is no key ${place.where}.`)
    const columns = ['ID', 'NAME', 'PROJECT', 'SCOPES', 'BEGINS', 'CREATED', 'EXPIRES', 'LAST USED']
    const rows = keys.map((key) => [
      key.id,
      oneLine(key.name),
      oneLine(key.project),
      key.scopes.join(','),
      key.prefix,
      localTime(key.created_at),
      key.revoked_at === null ? (key.expires_at === null ? 'never' : localTime(key.expires_at)) : 'revoked',
      key.last_used_at === null ? 'never' : localTime(key.last_used_at),
    ])
    for (const line of table(
      out,
      columns.map((title) => ({ title })),
      rows,
    ))
      out.line(line)
  })
}

/** `llm-eval keys revoke`. */
export async function revokeKey(terminal: Terminal, id: string, options: GlobalOptions): Promise<void> {
  await withKeys(terminal, options, async (place) => {
    if (!(await place.revoke(id)))
      throw new Complaint(`No key has the id ${oneLine(id)} ${place.where}. \`llm-eval keys list\` shows them.`, {
        exitCode: exitCodes.failed,
      })
    terminal.out.line(`${oneLine(id)} is revoked.`)
  })
}

/** Speaks to the server where one runs, and opens the store where none does: so the very first key can be made. */
async function withKeys(
  terminal: Terminal,
  options: GlobalOptions,
  work: (place: KeyPlace) => Promise<void>,
): Promise<void> {
  if (namedUrl(terminal, options) !== undefined) return work(await remoteKeys(terminal, options))
  const { loadConfig } = await import('@llm-eval/server')
  const { config } = await loadConfig(sourcesOf(terminal, options))
  if (config.database_url === null && (await ownerUrl(config.data)) !== undefined)
    return work(await remoteKeys(terminal, options))

  const { createAccess, createLog } = await import('@llm-eval/server')
  const { openStore } = await import('@llm-eval/store')
  const store = await openStore({
    directory: config.data,
    poolSize: 2,
    ...(config.database_url === null ? {} : { databaseUrl: config.database_url }),
  })
  try {
    const log = createLog({ ...config, log_level: 'warn' })
    const { keys, home } = await createAccess({ store, config, now: Date.now, log })
    await work({
      where: config.database_url === null ? `in the data directory ${config.data}` : 'in the database',
      list: () => keys.list(home),
      create: ({ name, scopes = ['ingest'], expires_at, project = 'default' }) =>
        keys.create({ name, scopes, project, expiresAt: expires_at == null ? null : Date.parse(expires_at) }),
      revoke: (id) => keys.revoke(id, home),
    })
  } finally {
    await store.close()
  }
}

async function remoteKeys(terminal: Terminal, options: GlobalOptions): Promise<KeyPlace> {
  const target = await findTarget(terminal, options)
  const { signal } = terminal
  return {
    where: `at ${target.url}`,
    async list() {
      const answer = await ask(target, { route: routes.listKeys, signal })
      return (await readAnswer(answer, keyList)).items
    },
    async create(wish) {
      const answer = await ask(target, { route: routes.createKey, body: wish, signal })
      return readAnswer(answer, createdKey)
    },
    async revoke(id) {
      await ask(target, { route: routes.revokeKey, values: { key_id: id }, signal })
      return true
    },
  }
}
