/** What can be done with datasets, whoever asks: our own routes and those of foreign clients. */
import { randomUUID } from 'node:crypto'
import { type Column, type Dataset, type DatasetVersion, Failure, limits } from '@llm-eval/protocol'
import type { ParsedColumn, ParsedDataset } from '@llm-eval/protocol/dataset-schemas'
import type { ColumnEdit, Store } from '@llm-eval/store'
import { columnFinder, columnSlug, datasetSlug } from './slugs.ts'
import { unknownColumn } from './values.ts'

/** Where datasets are: the store, and the project of the caller. */
export interface Place {
  store: Store
  projectId: number
  /** Milliseconds since 1970. */
  now: () => number
}

/** The datasets of the project, newest first. */
export function listDatasets({ store, projectId }: Place): Promise<Dataset[]> {
  return store.read(projectId, 'datasets', {})
}

/** A dataset by its slug or id. Throws `dataset_not_found`. */
export async function getDataset({ store, projectId }: Place, key: string): Promise<Dataset> {
  const found = await store.read(projectId, 'dataset', { dataset: key })
  if (!found) throw datasetNotFound(key)
  return found
}

/** Makes a dataset. Throws `slug_taken`, `limit_reached`, `invalid_request` (two columns of one slug). */
export async function createDataset(place: Place, wish: ParsedDataset): Promise<Dataset> {
  const { store, projectId, now } = place
  const slug = wish.slug ?? datasetSlug(wish.name)
  const outcome = await store.apply(projectId, {
    kind: 'createDataset',
    id: newId('ds'),
    slug,
    name: wish.name,
    description: wish.description ?? null,
    columns: newColumns(wish.columns, []),
    at: now(),
  })
  if (outcome.result === 'slug_taken') throw new Failure('slug_taken', { values: { slug } })
  if (outcome.result === 'too_many') throw limitReached(limits.datasets, 'datasets in a project')
  return getDataset(place, slug)
}

/** Renames or describes it, or gives it another list of columns. What is undefined stays. Throws `dataset_not_found`. */
export async function updateDataset(
  place: Place,
  key: string,
  change: { name?: string | undefined; description?: string | null | undefined; columns?: ParsedColumn[] | undefined },
): Promise<Dataset> {
  const { columns, ...words } = change
  const { found } = await place.store.apply(place.projectId, {
    kind: 'updateDataset',
    dataset: key,
    ...words,
    ...(columns ? { columns: newColumns(columns, []) } : {}),
    at: place.now(),
  })
  if (!found) throw datasetNotFound(key)
  return getDataset(place, key)
}

/** Rows that one step of a deletion removes; each step is a transaction of its own. */
const deletionStep = 5_000

/** Deletes a dataset with all its versions. Throws `dataset_not_found`. */
export async function deleteDataset({ store, projectId }: Place, key: string): Promise<void> {
  const first = await store.apply(projectId, { kind: 'deleteDataset', dataset: key, limit: deletionStep })
  if (!first.found) throw datasetNotFound(key)
  // The slug is free by now: another dataset may have taken it.
  let { more } = first
  while (more) ({ more } = await store.apply(projectId, { kind: 'deleteDataset', dataset: '', limit: deletionStep }))
}

/** Columns with slugs, made of the names where none are given. Throws `slug_taken`, `limit_reached`. */
export function newColumns(wishes: readonly ParsedColumn[], existing: readonly Column[]): Column[] {
  if (existing.length + wishes.length > limits.datasetColumns)
    throw limitReached(limits.datasetColumns, 'columns in a dataset')
  const taken = new Set(existing.map((column) => column.slug))
  const given = wishes.flatMap(({ slug }) => slug ?? [])
  const clash = given.find((slug, at) => taken.has(slug) || given.indexOf(slug) < at)
  if (clash !== undefined) throw new Failure('slug_taken', { values: { slug: clash } })
  for (const slug of given) taken.add(slug)
  return wishes.map(({ name, slug, type, description }) => {
    const own = slug ?? columnSlug(name, taken)
    taken.add(own)
    return { slug: own, name, type, description: description ?? null }
  })
}

/** Adds columns to the draft. Throws `dataset_not_found`, `slug_taken`, `limit_reached`. */
export async function addColumns(place: Place, key: string, wishes: readonly ParsedColumn[]): Promise<Column[]> {
  const { columns } = await getDataset(place, key)
  const added = newColumns(wishes, columns)
  await editColumns(place, key, { add: added })
  return added
}

/** Adds those of the columns that are not there, whoever adds the same ones meanwhile. Throws as `addColumns` does. */
export async function addMissingColumns(place: Place, key: string, wanted: readonly Column[]): Promise<void> {
  for (;;) {
    const { columns } = await getDataset(place, key)
    const missing = wanted.filter(({ slug }) => !columns.some((column) => column.slug === slug))
    if (missing.length === 0 || (await tryToAdd(place, key, missing))) return
  }
}

/**
 * Gives a dataset without columns its first ones. One that has got some meanwhile keeps those, and they are given instead:
 * `made` is false then. Throws as `addColumns` does.
 */
export async function addFirstColumns(
  place: Place,
  key: string,
  wishes: readonly ParsedColumn[],
): Promise<{ columns: Column[]; made: boolean }> {
  const before = await getDataset(place, key)
  const wanted = newColumns(wishes, [])
  if (before.columns.length === 0 && (await tryToAdd(place, key, wanted))) return { columns: wanted, made: true }
  return { columns: (await getDataset(place, key)).columns, made: false }
}

/** False when one of them is there already; none is added then. */
async function tryToAdd(place: Place, key: string, wanted: Column[]): Promise<boolean> {
  try {
    await editColumns(place, key, { add: wanted })
    return true
  } catch (error) {
    if (error instanceof Failure && error.code === 'slug_taken') return false
    throw error
  }
}

/** Renames, retypes or describes a column; values that are there stay. Throws `dataset_not_found`, `column_not_found`. */
export async function changeColumn(
  place: Place,
  { dataset, column }: { dataset: string; column: string },
  change: { name?: string | undefined; type?: Column['type'] | undefined; description?: string | null | undefined },
): Promise<Column> {
  const slug = await findColumn(place, dataset, column)
  await editColumns(place, dataset, { change: slug, ...change })
  const { columns } = await getDataset(place, dataset)
  const found = columns.find((one) => one.slug === slug)
  if (!found) throw columnNotFound(column)
  return found
}

/** Takes a column with its values out of the draft. Throws `dataset_not_found`, `column_not_found`. */
export async function removeColumn(place: Place, dataset: string, column: string): Promise<void> {
  await editColumns(place, dataset, { remove: await findColumn(place, dataset, column) })
}

async function findColumn(place: Place, dataset: string, key: string): Promise<string> {
  const column = columnFinder((await getDataset(place, dataset)).columns).find(key)
  if (!column) throw columnNotFound(key)
  return column.slug
}

async function editColumns({ store, projectId, now }: Place, dataset: string, edit: ColumnEdit): Promise<void> {
  const { result } = await store.apply(projectId, { kind: 'editColumns', dataset, edit, at: now() })
  switch (result) {
    case 'ok':
      return
    case 'not_found':
      throw datasetNotFound(dataset)
    case 'column_not_found':
      throw columnNotFound('remove' in edit ? edit.remove : 'change' in edit ? edit.change : '')
    case 'slug_taken':
      throw new Failure('slug_taken', { values: { slug: 'add' in edit ? (edit.add[0]?.slug ?? '') : '' } })
    case 'too_many':
      throw limitReached(limits.datasetColumns, 'columns in a dataset')
  }
}

/**
 * Makes the draft a version that never changes; an unchanged draft gives the version that is there. Throws
 * `dataset_not_found`, `slug_taken` (the name of the version), `limit_reached`.
 *
 * @param wish the version's name, `v1`, `v2`, … when null, and who publishes it
 */
export async function publishDataset(
  { store, projectId, now }: Place,
  dataset: string,
  wish: { version: string | null; by: string | null },
): Promise<{ version: string; created: boolean }> {
  const outcome = await store.apply(projectId, { kind: 'publishDataset', dataset, ...wish, at: now() })
  switch (outcome.result) {
    case 'ok':
      return { version: outcome.version, created: outcome.created }
    case 'not_found':
      throw datasetNotFound(dataset)
    case 'version_taken':
      throw new Failure('slug_taken', { values: { slug: wish.version ?? '' } })
    case 'too_many':
      throw limitReached(limits.datasetVersions, 'versions of a dataset')
  }
}

/** Published versions, newest first. Throws `dataset_not_found`. */
export async function listVersions(place: Place, key: string): Promise<DatasetVersion[]> {
  const { id } = await getDataset(place, key)
  return place.store.read(place.projectId, 'datasetVersions', { dataset: id })
}

/** The columns and the number of rows of a version, or of the draft (null). Throws `dataset_not_found`, `version_not_found`. */
export async function getVersion(
  place: Place,
  key: string,
  version: string | null,
): Promise<{ columns: Column[]; rows: number }> {
  const { id, slug, columns, total_rows } = await getDataset(place, key)
  if (version === null) return { columns, rows: total_rows }
  const found = await place.store.read(place.projectId, 'datasetVersion', { dataset: id, version })
  if (!found) throw versionNotFound(slug, version)
  return found
}

/** An id that nothing else has. */
export function newId(kind: 'ds' | 'row'): string {
  return `${kind}_${randomUUID().replaceAll('-', '')}`
}

export function datasetNotFound(dataset: string): Failure {
  return new Failure('dataset_not_found', { values: { dataset: shortened(dataset) } })
}

export function versionNotFound(dataset: string, version: string): Failure {
  return new Failure('version_not_found', { values: { what: `the dataset ${dataset}`, version: shortened(version) } })
}

function columnNotFound(column: string): Failure {
  return new Failure('column_not_found', { values: { column: shortened(column) } })
}

function limitReached(max: number, what: string): Failure {
  return new Failure('limit_reached', { values: { max, what } })
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

/** The failure for a file or row that names a column which is not there. */
export function refusedColumn(path: string, nearest: string | undefined): Failure {
  return new Failure('invalid_request', { errors: [{ path, message: unknownColumn(nearest) }] })
}
