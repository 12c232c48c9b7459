import { caseOf, createContentIds, type RunCase } from '@llm-eval/engine'
import { type DatasetRow, datasetRoutes, limits } from '@llm-eval/protocol'
import { backoffMs, type Connection, isObject, LLMEvalError, pause } from '../inside.ts'
import { isPassing } from './courier.ts'
import { caseField } from './metrics.ts'
import type { Cases, EvaluationCase } from './options.ts'

/** A version of a dataset on the server; null is the draft. */
export interface Pinned {
  dataset: string
  version: string | null
}

/** A page of a dataset. */
interface Page {
  items: DatasetRow[]
  next_cursor: string | null
}

/** Milliseconds that a dataset is waited for whose server is away. */
const patienceMs = 900_000
const backoff = { baseMs: 500, capMs: 15_000 }

/** The rows of a dataset on the server, a page at a time. A server that is away is waited for, as it is with events. */
export async function* readRows(
  connection: Connection,
  { dataset, version }: Pinned,
  signal: AbortSignal,
): AsyncGenerator<RunCase, void, undefined> {
  let cursor: string | null = null
  do {
    const query: Record<string, string> = { limit: String(limits.pageRows) }
    if (version !== null) query['version'] = version
    if (cursor !== null) query['cursor'] = cursor
    const page: Page = await askPatiently(connection, { dataset, query, signal })
    for (const { id, values } of page.items) {
      const own = idOf(values)
      yield withCase(caseOf({ id: own === undefined || own.length > limits.nameChars ? id : own, values }))
    }
    cursor = page.next_cursor
  } while (cursor !== null)
}

async function askPatiently(
  connection: Connection,
  { dataset, query, signal }: { dataset: string; query: Record<string, string>; signal: AbortSignal },
): Promise<Page> {
  const { clock, random } = connection
  const began = clock.elapsed()
  for (let tries = 1; ; tries++)
    try {
      return await connection.ask<Page>({ route: datasetRoutes.listRows, values: { dataset }, query, signal })
    } catch (error) {
      const passes = error instanceof LLMEvalError && isPassing(error) && clock.elapsed() - began < patienceMs
      if (!passes) throw error
      await pause(backoffMs(backoff, tries, { random: random(), retryAfter: error.retryAfter }), clock, signal)
    }
}

/** Cases that were handed in, in their order. Those without an id get one of what they say. */
export function readCases(cases: Cases): Iterable<RunCase> | AsyncIterable<RunCase> {
  const toCase = createReader()
  return Symbol.asyncIterator in cases ? eachLater(cases, toCase) : each(cases, toCase)
}

/** The first so many; those behind are not read. */
export async function* firstOf(
  cases: Iterable<RunCase> | AsyncIterable<RunCase>,
  most: number,
): AsyncGenerator<RunCase, void, undefined> {
  let left = most
  for await (const one of cases) {
    yield one
    if (--left === 0) return
  }
}

function* each(cases: Iterable<unknown>, toCase: (row: unknown) => RunCase): Generator<RunCase, void, undefined> {
  for (const row of cases) yield toCase(row)
}

async function* eachLater(
  cases: AsyncIterable<unknown>,
  toCase: (row: unknown) => RunCase,
): AsyncGenerator<RunCase, void, undefined> {
  for await (const row of cases) yield toCase(row)
}

function createReader(): (row: unknown) => RunCase {
  const contentId = createContentIds()
  let index = -1
  return (row) => {
    index++
    const values = isObject(row) && !Array.isArray(row) ? row : { input: row }
    return withCase(caseOf({ id: idOf(values) ?? idOfContent(values), values }))
  }

  function idOfContent(values: unknown): string {
    try {
      return contentId(values)
    } catch {
      // What is no JSON is told of as an item that failed.
      return `case-${index}`
    }
  }
}

/** The case as it was handed in, of a case of the engine. */
export function caseIn({ id, input, values = {} }: RunCase): EvaluationCase {
  const own = values[caseField]
  return isObject(own) && 'input' in own ? { ...own, id, input } : { id, input }
}

function withCase(one: RunCase): RunCase {
  return { ...one, values: { ...one.values, [caseField]: one } }
}

/** Columns that name a case, so that it is found again in another run; the server looks at the same. */
const idColumns = ['id', 'case-id']

function idOf(values: Readonly<Record<string, unknown>>): string | undefined {
  for (const column of idColumns) {
    const value = values[column]
    if (typeof value === 'number') return String(value)
    if (typeof value === 'string' && value !== '') return value
  }
  return undefined
}
