import { randomUUID } from 'node:crypto'
import type { Definition, Engine } from '@llm-eval/engine'
import { Failure, limits } from '@llm-eval/protocol'
import type { Store, StoredEvaluator } from '@llm-eval/store'
import { belowDefinition, readDefinition, storedDefinition } from './definitions.ts'
import type { Catalogue, Entry } from './judge.ts'

export interface CatalogueParts {
  store: Store
  engine: Engine
  now: () => number
}

/** What an execution was started with. */
interface Remembered {
  evaluator: string
  /** Under the configuration. */
  version: string
  config: Record<string, unknown> | null
}

/** The catalogue, and what only those who run executions need of it. */
export interface OwnCatalogue extends Catalogue {
  /** The evaluator of an execution as it was then; undefined when it is gone. */
  recall(projectId: number, remembered: Remembered): Promise<Entry | undefined>
}

/** The catalogue over an engine, which knows what is built in, and a store, which keeps what projects made. */
export function createCatalogue(parts: CatalogueParts): OwnCatalogue {
  const { store, engine, now } = parts
  return {
    async list(projectId) {
      const own = await store.read(projectId, 'evaluators', {})
      const entries = [...engine.catalogue().map(({ slug }) => builtIn(engine, slug)), ...own.map(ownEntry(engine))]
      return entries.flatMap((entry) => entry ?? []).sort(bySource)
    },
    find: (projectId, key, version) => find(parts, { projectId, key: keyOf(key) }, version ?? null),
    async create(projectId, { slug, name, description, definition: given }) {
      if (builtIn(engine, slug)) throw new Failure('builtin_evaluator', { values: { slug } })
      const definition = readDefinition(given, null)
      const id = `evl_${randomUUID().replaceAll('-', '').slice(0, 20)}`
      return put(parts, projectId, { id, slug, name, description, definition, mode: 'create' })
    },
    async update(projectId, key, change) {
      const old = await ownOf(parts, projectId, key)
      const before = storedDefinition(old.definition)
      const definition = change.definition === undefined ? before : readDefinition(change.definition, before)
      const { name = old.name, description = old.description } = change
      return put(parts, projectId, { id: old.id, slug: old.slug, name, description, definition, mode: 'update' })
    },
    async remove(projectId, key) {
      const { slug } = await ownOf(parts, projectId, key)
      const { found } = await store.apply(projectId, { kind: 'deleteEvaluator', slug, at: now() })
      if (!found) throw notFound(slug)
    },
    async versions(projectId, key) {
      const entry = await find(parts, { projectId, key: keyOf(key) }, null)
      if (entry.definition === null) return [{ version: entry.info.version, createdAt: null, definition: null }]
      const versions = await store.read(projectId, 'evaluatorVersions', { slug: entry.info.slug })
      return versions.map(({ version, createdAt, definition }) => ({
        version,
        createdAt,
        definition: storedDefinition(definition),
      }))
    },
    recall: (projectId, remembered) => recall(parts, projectId, remembered),
  }
}

async function recall(
  { store, engine }: CatalogueParts,
  projectId: number,
  { evaluator: slug, version, config }: Remembered,
): Promise<Entry | undefined> {
  const known = builtIn(engine, slug)
  // Another release, or another default model, may have made another judge of it.
  if (known) return engine.info(known.use, config)?.version === version ? known : undefined
  for (const { definition: json } of await store.read(projectId, 'evaluatorVersions', { slug })) {
    const definition = storedDefinition(json)
    const use = { slug, definition }
    const info = engine.info(use, config)
    if (info?.version === version) return { id: slug, info, definition, use }
  }
  return undefined
}

/** As slugs are written; ids have no dashes. */
function keyOf(key: string): string {
  return key.startsWith('evl_') ? key : key.trim().toLowerCase().replaceAll('_', '-')
}

function notFound(slug: string): Failure {
  return new Failure('evaluator_not_found', { values: { slug } })
}

function builtIn(engine: Engine, key: string): Entry | undefined {
  const info = engine.info(key)
  return info && { id: info.slug, info, definition: null, use: info.slug }
}

function ownEntry(engine: Engine): (stored: StoredEvaluator) => Entry | undefined {
  return (stored) => {
    const definition = storedDefinition(stored.definition)
    const use = { slug: stored.slug, definition }
    const info = engine.info(use)
    // Its base or its provider is gone from the configuration: nobody can use it, and what was stored stays.
    if (info === undefined) return undefined
    const { slug, name, description } = stored
    const [created_at, updated_at] = [stored.createdAt, stored.updatedAt].map((at) => new Date(at).toISOString())
    return {
      id: stored.id,
      info: {
        ...info,
        slug,
        name,
        description,
        source: 'custom',
        created_at: created_at ?? null,
        updated_at: updated_at ?? null,
      },
      definition,
      use,
    }
  }
}

function bySource(a: Entry, b: Entry): number {
  if (a.info.source !== b.info.source) return a.info.source === 'builtin' ? -1 : 1
  return a.info.slug < b.info.slug ? -1 : 1
}

async function find(
  { store, engine }: CatalogueParts,
  { projectId, key }: { projectId: number; key: string },
  version: string | null,
): Promise<Entry> {
  const known = builtIn(engine, key)
  if (known) {
    if (version === null || version === known.info.version) return known
    throw new Failure('version_not_found', { values: { what: known.info.slug, version } })
  }
  const newest = await store.read(projectId, 'evaluator', { key })
  if (newest === null) throw notFound(key)
  const entry = ownEntry(engine)(newest)
  // Its version may have changed without it: by the default model, or the code of its base.
  if (version === null || version === entry?.info.version) {
    if (entry) return entry
    throw unusable(engine, newest)
  }
  const older = await store.read(projectId, 'evaluator', { key, version })
  if (older === null) throw new Failure('version_not_found', { values: { what: newest.slug, version } })
  const found = ownEntry(engine)(older)
  if (found) return found
  throw unusable(engine, older)
}

/** Says why the engine cannot use a definition that it could when it was stored. */
function unusable(engine: Engine, { slug, definition }: StoredEvaluator): Failure {
  const inspected = engine.inspect(slug, storedDefinition(definition))
  return 'faults' in inspected ? belowDefinition(inspected.faults) : notFound(slug)
}

async function ownOf({ store, engine }: CatalogueParts, projectId: number, key: string): Promise<StoredEvaluator> {
  const known = builtIn(engine, key)
  if (known) throw new Failure('builtin_evaluator', { values: { slug: known.info.slug } })
  const stored = await store.read(projectId, 'evaluator', { key: keyOf(key) })
  if (stored === null) throw notFound(key)
  return stored
}

interface Put {
  id: string
  slug: string
  name: string
  description: string
  definition: Definition
  mode: 'create' | 'update'
}

async function put({ store, engine, now }: CatalogueParts, projectId: number, asked: Put): Promise<Entry> {
  const { id, slug, name, description, definition, mode } = asked
  const inspected = engine.inspect(slug, definition)
  if ('faults' in inspected) throw belowDefinition(inspected.faults)
  const outcome = await store.apply(projectId, {
    kind: 'putEvaluator',
    id,
    slug,
    name,
    description,
    mode,
    version: inspected.info.version,
    definition: JSON.stringify(definition),
    at: now(),
  })
  switch (outcome.result) {
    case 'ok': {
      const entry = ownEntry(engine)(outcome.evaluator)
      if (entry) return entry
      throw notFound(slug)
    }
    case 'not_found':
      throw notFound(slug)
    case 'slug_taken':
      throw new Failure('slug_taken', { values: { slug } })
    case 'too_many':
      throw new Failure('limit_reached', { values: { max: limits.evaluators, what: 'evaluators' } })
  }
}
