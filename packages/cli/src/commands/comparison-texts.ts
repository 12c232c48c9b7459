/** What was answered in the cases that became worse, held against each other. */
import { type CaseComparison, type RunComparison, type RunItem, runRoutes } from '@llm-eval/protocol'
import { runItem } from '@llm-eval/protocol/run-schemas'
import { figure } from '../display/amounts.ts'
import { ask, readAnswer } from '../http.ts'
import { differencesOf, type Piece } from '../reports/differences.ts'
import type { Target } from '../target.ts'

/** Cases of which the texts are told. */
const mostTexts = 50
/** Characters of a text that are looked at. */
const mostChars = 4_000
const requestsAtOnce = 8

/** A case that became worse: in the first run, and in the one in which it became worst. */
export interface CaseTexts {
  caseId: string
  /** Each metric from run to run. */
  steps: string
  runs: [before: string, after: string]
  expected: string | null
  /** Null where there is no item, or none any more. */
  before: string | null
  after: string | null
  /** What changed from before to after; null where nothing did, or they are too long or too far apart to say. */
  pieces: Piece[] | null
}

/** Those that became worse, as far as they are listed. */
export function worseCases({ cases }: RunComparison): CaseComparison[] {
  return cases.filter(({ regression }) => regression !== null && regression > 0)
}

/** Each metric from run to run: `rouge-l 0.9 → 0.1, tone 1 → 1`. */
export function stepsOf({ values }: CaseComparison): string {
  return Object.entries(values)
    .map(([name, means]) => `${name} ${means.map(figure).join(' → ')}`)
    .join(', ')
}

/** Reads the texts of the first `mostTexts` cases that became worse, in their order. */
export async function readTexts(target: Target, comparison: RunComparison, signal: AbortSignal): Promise<CaseTexts[]> {
  const cases = worseCases(comparison).slice(0, mostTexts)
  const told: CaseTexts[] = []
  for (let from = 0; from < cases.length; from += requestsAtOnce)
    told.push(
      ...(await Promise.all(
        cases.slice(from, from + requestsAtOnce).map((one) => textsOf({ target, comparison, signal }, one)),
      )),
    )
  return told
}

interface Reading {
  target: Target
  comparison: RunComparison
  signal: AbortSignal
}

async function textsOf({ target, comparison, signal }: Reading, one: CaseComparison): Promise<CaseTexts> {
  const worst = worstRun(comparison, one)
  const read = async (at: number): Promise<RunItem | null> => {
    const index = one.items[at] ?? null
    if (index === null) return null
    const values = { run_id: comparison.runs[at] ?? '', item_index: String(index) }
    const answer = await ask(target, { route: runRoutes.getRunItem, values, signal })
    return readAnswer(answer, runItem)
  }
  const [first, other] = await Promise.all([read(0), read(worst)])
  const [before, after] = [textOf(first), textOf(other)]
  const expected = (first ?? other)?.expected ?? null
  return {
    caseId: one.case_id,
    steps: stepsOf(one),
    runs: [comparison.runs[0] ?? '', comparison.runs[worst] ?? ''],
    expected: expected === null ? null : beginningOf(expected),
    before,
    after,
    pieces: before === null || after === null ? null : differencesOf(before, after),
  }
}

/** In which of the runs it became worst: the one that went back furthest, measured in each metric by the furthest of them. */
function worstRun({ compared }: RunComparison, { values }: CaseComparison): number {
  const directions = compared[0]?.metrics ?? []
  const falls = compared.map(() => 0)
  for (const { name, direction } of directions) {
    const [before = null, ...others] = values[name] ?? []
    if (before === null || direction === null) continue
    const steps = others.map((after) => (after === null ? 0 : (after - before) * (direction === 'lower' ? 1 : -1)))
    const largest = Math.max(...steps.map(Math.abs))
    for (const [at, step] of steps.entries()) if (largest > 0) falls[at] = Math.max(falls[at] ?? 0, step / largest)
  }
  return 1 + falls.indexOf(Math.max(...falls))
}

function textOf(item: RunItem | null): string | null {
  if (item === null) return null
  if (item.error !== null) return `(${item.error.code}: ${item.error.message})`
  return beginningOf(item.output)
}

function beginningOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  return text.length > mostChars ? `${text.slice(0, mostChars - 1).toWellFormed()}…` : text
}

/** Characters that are kept of what is the same, on each side of what is not. */
const kept = 30

/** Pieces with what is the same shortened to what stands next to a change. */
export function shortened(pieces: readonly Piece[]): Piece[] {
  return pieces.map(([kind, text], index): Piece => {
    if (kind !== 'same' || text.length <= 2 * kept + 10) return [kind, text]
    const start = index === 0 ? '' : text.slice(0, kept)
    const end = index === pieces.length - 1 ? '' : text.slice(-kept)
    return [kind, `${start} … ${end}`.toWellFormed()]
  })
}
