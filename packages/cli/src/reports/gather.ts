import { limits, type RunErrors, type RunItem, runRoutes } from '@llm-eval/protocol'
import { runErrors, runItemPage } from '@llm-eval/protocol/run-schemas'
import type * as z from 'zod'
import type { Evaluated } from '../evaluation/evaluate.ts'
import { ask, readAnswer } from '../http.ts'
import type { Target } from '../target.ts'

/** An evaluation with what reports tell of it beside. */
export interface Reported extends Evaluated {
  /** In the order of the dataset. Where there are more than a report holds, those that failed come before others. */
  items: RunItem[]
  errors: RunErrors
}

/** Items that a report tells of one run. */
export const mostReportedItems = 2_000
/** Characters of one text of an item. */
const mostTextChars = 4_000
/** Characters of all texts of an item's run; behind that only beginnings are kept. */
const mostRunChars = 8_000_000
const shortChars = 200

/** Reads the items of a run for a report: those that failed, then the others, up to what a report holds. */
export async function gather(target: Target, evaluated: Evaluated): Promise<Reported> {
  const found = new Map<number, RunItem>()
  const budget = { chars: mostRunChars }
  for (const query of [{ status: 'failed' }, {}])
    for await (const item of itemsOf(target, evaluated.run.run_id, query)) {
      if (found.size >= mostReportedItems) break
      if (!found.has(item.item_index)) found.set(item.item_index, shortened(item, budget))
    }
  const values = { run_id: evaluated.run.run_id }
  const errors = await readAnswer(await ask(target, { route: runRoutes.getRunErrors, values }), runErrors)
  return { ...evaluated, errors, items: [...found.values()].sort((a, b) => a.item_index - b.item_index) }
}

async function* itemsOf(target: Target, id: string, filter: Record<string, string>): AsyncGenerator<RunItem> {
  let cursor: string | null = null
  do {
    const query: Record<string, string> = {
      limit: String(limits.pageRows),
      ...filter,
      ...(cursor === null ? {} : { cursor }),
    }
    const answer = await ask(target, { route: runRoutes.listRunItems, values: { run_id: id }, query })
    const page: z.infer<typeof runItemPage> = await readAnswer(answer, runItemPage)
    yield* page.items
    cursor = page.next_cursor
  } while (cursor !== null)
}

function shortened(item: RunItem, budget: { chars: number }): RunItem {
  const cut = (value: unknown) => {
    const text = cutText(textOf(value), budget.chars > 0 ? mostTextChars : shortChars)
    budget.chars -= text.length
    return value === null ? null : text
  }
  const scores = Object.fromEntries(
    Object.entries(item.scores).map(([name, score]) => [
      name,
      { ...score, output: {}, explanation: score.explanation === null ? null : cutText(score.explanation, 1_000) },
    ]),
  )
  return { ...item, input: cut(item.input), expected: cut(item.expected), output: cut(item.output), scores }
}

/** A text, whose cut is told. Characters are not halved. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text
  const kept = text
    .slice(0, most)
    .toWellFormed()
    .replace(/\uFFFD$/, '')
  return `${kept}… (${(text.length - kept.length).toLocaleString('en-US')} more characters)`
}

/** A value as people read it. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '')
}
