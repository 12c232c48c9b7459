/** The items of runs: listed, whole or in short, and one by one. */
import { Failure, limits, runRoutes } from '@llm-eval/protocol'
import { runItem, runItemPage, runItemPreviewPage, runItemsQuery } from '@llm-eval/protocol/run-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { Queries, RunItemFilter, Store, StoredRun } from '@llm-eval/store'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { toItem } from '../running/wire.ts'
import { findRun } from './find.ts'
import { mapInTurns } from './in-turns.ts'
import { previewOf } from './previews.ts'

const byId = z.object({ run_id: name })
const byIndex = byId.extend({
  item_index: z
    .string()
    .regex(/^[0-9]{1,9}$/, 'must be a whole number')
    .transform(Number),
})
/** Milliseconds that one page looks for items that fit. */
const sliceMs = 100
/** Bytes of the texts of one page. */
const pageBytes = 8 * 1024 * 1024

type Query = z.infer<typeof runItemsQuery>
type Page = Exclude<Queries['runItems']['out'], { invalidCursor: true }>

/** Serves the routes of items. */
export function registerRunItems(app: App, { store }: Deps): void {
  mount(app, runRoutes.listRunItems, {
    schema: { params: byId, querystring: runItemsQuery, response: { 200: runItemPage } },
    handler: async ({ principal: { projectId }, params, query }) => {
      const run = await findRun(store, projectId, params.run_id)
      const page = await readPage({ store, projectId, run, bodies: 'with' }, query)
      return { items: await mapInTurns(page.items, toItem), next_cursor: page.nextCursor, searched_to: page.searchedTo }
    },
  })
  mount(app, runRoutes.listRunItemPreviews, {
    schema: { params: byId, querystring: runItemsQuery, response: { 200: runItemPreviewPage } },
    handler: async ({ principal: { projectId }, params, query }) => {
      const run = await findRun(store, projectId, params.run_id)
      const page = await readPage({ store, projectId, run, bodies: 'beginnings' }, query)
      const items = page.items.map((item) => previewOf(item, run.metricNames))
      return { items, next_cursor: page.nextCursor, searched_to: page.searchedTo }
    },
  })
  mount(app, runRoutes.getRunItem, {
    schema: { params: byIndex, response: { 200: runItem } },
    handler: async ({ principal: { projectId }, params }) => {
      const run = await findRun(store, projectId, params.run_id)
      const { item_index: itemIndex } = params
      const item =
        itemIndex < limits.runItems ? await store.read(projectId, 'runItem', { ref: run.ref, itemIndex }) : null
      if (item === null) throw new Failure('run_item_not_found')
      return toItem(item)
    },
  })
}

interface PageOf {
  store: Store
  projectId: number
  run: StoredRun
  bodies: 'with' | 'beginnings'
}

async function readPage({ store, projectId, run, bodies }: PageOf, query: Query): Promise<Page> {
  const { limit, cursor = null, from } = query
  const filter = filterOf(run, query)
  if (filter === null) return { items: [], nextCursor: null, searchedTo: null }
  const page = await store.read(projectId, 'runItems', {
    ref: run.ref,
    filter,
    limit,
    cursor,
    from,
    sliceMs,
    bodies,
    bytes: pageBytes,
  })
  if ('invalidCursor' in page) throw invalid('cursor', 'is not a cursor of this list: leave it out to start anew')
  return page
}

/** Null where no item can fit. */
function filterOf({ metricNames }: StoredRun, query: Query): RunItemFilter | null {
  const { status, metric, below, above, errored, error, case_id: caseId, search } = query
  const bound = (value: number | undefined) =>
    metric === undefined || value === undefined ? undefined : { metric: placeOf(metricNames, 'metric', metric), value }
  if (status === 'pending') return null
  return {
    status,
    error,
    caseId,
    search,
    below: bound(below),
    above: bound(above),
    errored: errored === undefined ? undefined : placeOf(metricNames, 'errored', errored),
  }
}

function placeOf(names: readonly string[], parameter: string, metric: string): number {
  const place = names.indexOf(metric)
  if (place === -1) throw invalid(parameter, 'is no metric of this run')
  return place
}

function invalid(path: string, message: string): Failure {
  return new Failure('invalid_query', { errors: [{ path, message }] })
}
