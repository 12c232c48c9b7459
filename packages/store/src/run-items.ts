import { scoreOutcomes, type TaskFault } from '@llm-eval/protocol'
import { named } from './run-events.ts'
import type { Counted } from './run-totals.ts'
import type { ItemBody, ItemScore, NewRunItem, StoredRunItem } from './runs.ts'
import type { RunTables } from './steps/run-tables.ts'

// The numbers of an item are one JSON array: it is written, read and handed on in one piece, and there is no place in it
// where text could hide. First eight of the item, then three of each metric of its run.

/** Places of the numbers that stand before those of the metrics. */
export const itemPlace = {
  responseMs: 0,
  costNano: 1,
  tokens: 2,
  attempts: 3,
  startedAt: 4,
  completedAt: 5,
  spentNano: 6,
  spentUnknown: 7,
} as const
export const itemHead = 8
/** Of a metric: outcome (its place in `scoreOutcomes`; null without a score), value, passed (1 or 0). */
export const scorePlace = { outcome: 0, value: 1, passed: 2 } as const
export const scoreSize = 3

export function encodeNumbers(item: NewRunItem): string {
  const { responseMs, costNano, tokens, attempts, startedAt, completedAt, spent, scores } = item
  const own = `${responseMs},${costNano},${tokens},${attempts},${startedAt},${completedAt},${spent.costNano},${Number(spent.unknown)}`
  const all = scores.map((score) => {
    if (!score) return ',null,null,null'
    return `,${scoreOutcomes.indexOf(score.outcome)},${score.value},${score.passed === null ? null : Number(score.passed)}`
  })
  return `[${own}${all.join('')}]`
}

type ItemRow = Omit<RunTables['run_items'], 'run_ref' | 'hash'>

type Numbers = (number | null)[]

function scoresOf(numbers: Numbers): (ItemScore | null)[] {
  const scores: (ItemScore | null)[] = []
  for (let at = itemHead; at < numbers.length; at += scoreSize) {
    const [outcome = null, value = null, passed = null] = numbers.slice(at, at + scoreSize)
    const known = { value, passed: passed === null ? null : passed === 1 }
    scores.push(outcome === null ? null : { outcome: named(scoreOutcomes, outcome), ...known })
  }
  return scores
}

const statusOf = (row: Pick<ItemRow, 'status'>) => (row.status === 1 ? 'failed' : 'success')

export function toStoredItem(row: ItemRow, body: ItemBody | null): StoredRunItem {
  const numbers = JSON.parse(row.numbers) as Numbers
  return {
    itemIndex: row.item_index,
    caseId: row.case_id,
    repetition: row.repetition,
    status: statusOf(row),
    responseMs: numbers[itemPlace.responseMs] ?? null,
    costNano: numbers[itemPlace.costNano] ?? null,
    tokens: numbers[itemPlace.tokens] ?? null,
    attempts: numbers[itemPlace.attempts] ?? 0,
    startedAt: numbers[itemPlace.startedAt] ?? null,
    completedAt: numbers[itemPlace.completedAt] ?? 0,
    scores: scoresOf(numbers),
    preview: row.preview,
    error: row.error === null ? null : (JSON.parse(row.error) as { code: TaskFault; message: string }),
    traceId: row.trace_id,
    body,
  }
}

/** What a stored item counts for. */
export function countedOf(row: Pick<ItemRow, 'status' | 'numbers'>): Counted {
  const numbers = JSON.parse(row.numbers) as Numbers
  const spent = { costNano: numbers[itemPlace.spentNano] ?? 0, unknown: numbers[itemPlace.spentUnknown] === 1 }
  return { status: statusOf(row), spent, scores: scoresOf(numbers) }
}
