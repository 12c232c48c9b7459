/** What went wrong in runs, in groups. */
import { limits, type RunErrorGroup, type RunErrors, runRoutes } from '@llm-eval/protocol'
import { runErrors, runItem } from '@llm-eval/protocol/run-schemas'
import { name } from '@llm-eval/protocol/schemas'
import type { Queries, Store, StoredRun, StoredRunItem } from '@llm-eval/store'
import * as z from 'zod'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'
import { findRun } from './find.ts'
import { mapInTurns } from './in-turns.ts'

const scoresShape = runItem.shape.scores
const pageItems = 500
/** Milliseconds that one page looks for items with errors. */
const sliceMs = 100
/** Of one group. */
const mostExamples = 3

/** Serves the errors of runs. */
export function registerRunErrors(app: App, { store }: Deps): void {
  mount(app, runRoutes.getRunErrors, {
    schema: { params: z.object({ run_id: name }), response: { 200: runErrors } },
    handler: async ({ principal: { projectId }, params }) => {
      const run = await findRun(store, projectId, params.run_id)
      return groupErrors(store, projectId, run)
    },
  })
}

async function groupErrors(store: Store, projectId: number, run: StoredRun): Promise<RunErrors> {
  const groups = new Map<string, RunErrorGroup>()
  let examined = 0
  let isCut = false
  let cursor: string | null = null
  do {
    const page: Queries['runItems']['out'] = await store.read(projectId, 'runItems', {
      ref: run.ref,
      filter: { troubled: true },
      limit: pageItems,
      cursor,
      sliceMs,
      bodies: 'scores',
      bytes: Number.MAX_SAFE_INTEGER,
    })
    if ('invalidCursor' in page) throw new Error('the store refused its own cursor')
    const found = await mapInTurns(page.items, errorsOf)
    const errors = found.flat()
    const room = limits.runErrors - examined
    for (const error of errors.slice(0, room)) add(groups, error)
    examined += Math.min(errors.length, room)
    isCut = errors.length > room
    cursor = page.nextCursor
  } while (cursor !== null && examined < limits.runErrors)
  const all = [...groups.values()].sort((a, b) => b.count - a.count)
  const rest = all.slice(limits.runErrorGroups)
  return {
    items: all.slice(0, limits.runErrorGroups),
    others: rest.reduce((sum, { count }) => sum + count, 0),
    examined,
    complete: cursor === null && !isCut,
  }
}

type OneError = Pick<RunErrorGroup, 'metric' | 'code'> & RunErrorGroup['examples'][number]

function errorsOf({ itemIndex, caseId, error, body }: StoredRunItem): OneError[] {
  const of = { item_index: itemIndex, case_id: caseId }
  const errors: OneError[] = error === null ? [] : [{ ...of, metric: null, ...error }]
  for (const [metric, score] of Object.entries(scoresShape.parse(JSON.parse(body?.scores ?? '{}')))) {
    if (score.outcome !== 'errored') continue
    const message = (score.explanation ?? '').slice(0, limits.runErrorChars).toWellFormed()
    errors.push({ ...of, metric, code: score.fault ?? 'threw', message })
  }
  return errors
}

function add(groups: Map<string, RunErrorGroup>, { metric, code, ...example }: OneError): void {
  const pattern = patternOf(example.message)
  const key = JSON.stringify([metric, code, pattern])
  const known = groups.get(key)
  if (!known) return void groups.set(key, { metric, code, pattern, count: 1, examples: [example] })
  known.count++
  if (known.examples.length < mostExamples) known.examples.push(example)
}

const varying = [
  // What stands in quotes, unless it is as long as a sentence: that is rather an apostrophe and what follows.
  /"[^"\n]{0,120}"|“[^”\n]{0,120}”|`[^`\n]{0,120}`|(?<![\p{L}\p{N}])'[^'\n]{0,120}'/gu,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi,
  /\d+(?:[.,:]\d+)*/g,
]

/** What messages that differ only in their numbers, ids and quotations have in common. */
export function patternOf(message: string): string {
  // What varies may be long: the pattern of a message is found in more of it than is kept.
  const whole = varying.reduce((text, part) => text.replace(part, '…'), message.slice(0, limits.runErrorChars))
  return whole.slice(0, limits.runErrorPatternChars).toWellFormed()
}
