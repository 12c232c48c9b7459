import { createHash } from 'node:crypto'
import { canonicalJson } from '../info.ts'
import { folded, synonymsOf } from '../names.ts'
import type { RunCase } from './plan.ts'

/** A row of a dataset: values by column. */
export interface CaseRow {
  id: string
  values: Readonly<Record<string, unknown>>
}

const inputNames = ['input', ...synonymsOf('input')].map(folded)
// A column of context helps to find the answer, and one called `answer` holds the right one.
const expectedNames = ['expected', ...synonymsOf('expected').filter((name) => name !== 'context'), 'answer'].map(folded)

/**
 * A row as a run asks it. Its input is the column `input`, or one of that meaning (`question`, `query`, `prompt`, …), and all that
 * is not expected where there is none; what is expected is the column `expected`, or one of that meaning (`reference`,
 * `ground_truth`, `answer`, …). However they are spelled; the first of these that the row has counts.
 *
 * @param outputs the column that holds answers which exist already, and so is neither
 */
export function caseOf(row: CaseRow, outputs?: string): RunCase {
  return createCaseReader(outputs)(row)
}

/** Reads rows as `caseOf` does, one after the other: rows of a dataset have the same columns, which are looked at once. */
export function createCaseReader(outputs?: string): (row: CaseRow) => RunCase {
  let seen: { names: string[]; input: string | undefined; expected: string | undefined } | undefined
  return ({ id, values }) => {
    const names = Object.keys(values)
    if (!seen || !isSame(seen.names, names)) seen = { names, ...meantBy(names, outputs) }
    const { input, expected } = seen
    return {
      id,
      input: input === undefined ? others(values, [expected, outputs]) : values[input],
      expected: expected === undefined ? null : values[expected],
      values,
    }
  }
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((name, at) => name === others[at])
}

/** The columns that hold the input, and what is expected. */
function meantBy(names: readonly string[], outputs: string | undefined) {
  const columns = new Map<string, string>()
  for (const name of names) if (name !== outputs) columns.set(folded(name), name)
  const columnOf = (meant: readonly string[]) => {
    const found = meant.find((name) => columns.has(name))
    return found === undefined ? undefined : columns.get(found)
  }
  return { input: columnOf(inputNames), expected: columnOf(expectedNames) }
}

function others(values: CaseRow['values'], names: readonly (string | undefined)[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)))
}

/**
 * Makes ids for the cases of a dataset that has none: of what they say, so that a case keeps its id when others come, go or move,
 * and is paired with itself in every run. Cases that say the same are told apart by how many came before, which pairs like with
 * like. Ask it for every case, in order.
 */
export function createContentIds(): (values: unknown) => string {
  const times = new Map<string, number>()
  return (values) => {
    const hash = createHash('sha256').update(canonicalJson(values)).digest('hex').slice(0, 16)
    const time = (times.get(hash) ?? 0) + 1
    times.set(hash, time)
    return time === 1 ? hash : `${hash}-${time}`
  }
}
