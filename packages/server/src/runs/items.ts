/** The items of runs: listed, and one by one. */
import { Failure, limits, runRoutes } from '@llm-eval/protocol'
import { runItem, runItemPage, runItemsQuery } from '@llm-eval/protocol/run-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { RunItemFilter, StoredRun } from '@llm-eval/store'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { toItem } from '../running/wire.ts'
import { findRun } from './find.ts'
import { mapInTurns } from './in-turns.ts'

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

/** Serves the routes of items. */
export function registerRunItems(app: App, { store }: Deps): void {
  mount(app, runRoutes.listRunItems, {
    schema: { params: byId, querystring: runItemsQuery, response: { 200: runItemPage } },
    handler: async ({ principal: { projectId }, params, query }) => {
      const run = await findRun(store, projectId, params.run_id)
      const { limit, cursor = null } = query
      const filter = filterOf(run, query)
      const page = await store.read(projectId, 'runItems', {
        ref: run.ref,
        filter,
        limit,
        cursor,
        sliceMs,
        bodies: 'with',
        bytes: pageBytes,
      })
      if ('invalidCursor' in page) throw invalid('cursor', 'is not a cursor of this list: leave it out to start anew')
      return { items: await mapInTurns(page.items, toItem), next_cursor: page.nextCursor, searched_to: page.searchedTo }
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

function filterOf(
  { metricNames }: StoredRun,
  { status, metric, below: value, case_id: caseId }: z.infer<typeof runItemsQuery>,
): RunItemFilter {
  if (metric === undefined || value === undefined) return { status, caseId }
  const place = metricNames.indexOf(metric)
  if (place === -1) throw invalid('metric', 'is no metric of this run')
  return { status, caseId, below: { metric: place, value } }
}

function invalid(path: string, message: string): Failure {
  return new Failure('invalid_query', { errors: [{ path, message }] })
}
