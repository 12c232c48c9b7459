/** The results of a run as files. */
import { Readable } from 'node:stream'
import { csvJson, csvRecord, csvText, type Score } from '@llm-eval/protocol'
import { score as scoreSchema } from '@llm-eval/protocol/evaluation-schemas'
import type { Store, StoredExperimentRun } from '@llm-eval/store'
import * as z from 'zod'
import { fieldsOf } from './results.ts'

/** A run and where its tasks are. */
export interface RunSource {
  store: Store
  projectId: number
  run: StoredExperimentRun
}

/** Tasks that are in memory at one moment. */
const pageTasks = 100
/** Columns of a CSV; what tasks have beyond is only in the JSON. */
const mostColumns = 1_000

interface Task {
  id: string
  input: unknown
  output: unknown
  error: string | null
  evaluations: Evaluation[]
}

interface Evaluation {
  execution_id: string
  evaluator: string
  status: string
  result: Record<string, unknown> | null
  error: string | null
}

/** One object: what stands in `head`, and `tasks`, each with its evaluations. */
export async function exportJson(source: RunSource, head: Record<string, unknown>): Promise<Readable> {
  async function* texts() {
    let before = `${JSON.stringify(head).slice(0, -1)},"tasks":[`
    for await (const task of tasksOf(source)) {
      yield before + JSON.stringify(task)
      before = ','
    }
    yield `${before === ',' ? '' : before}]}`
  }
  return begun(texts())
}

/**
 * A line for each task: its input and output by member, and what each evaluator said. The tasks are read twice, since the
 * header names what occurs in any of them.
 */
export async function exportCsv(source: RunSource): Promise<Readable> {
  const columns = new Set<string>(['task_id'])
  for await (const task of tasksOf(source)) {
    for (const column of Object.keys(cellsOf(task))) {
      if (columns.size < mostColumns) columns.add(column)
    }
  }
  async function* lines() {
    yield csvRecord([...columns].map(csvText))
    for await (const task of tasksOf(source)) {
      const cells = cellsOf(task)
      yield csvRecord([...columns].map((column) => cellOf(cells[column])))
    }
  }
  return begun(lines())
}

/** Unknown is empty, nested values are JSON. */
function cellOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? csvText(value) : csvJson(value)
}

function cellsOf({ id, input, output, error, evaluations }: Task): Record<string, unknown> {
  const cells: Record<string, unknown> = { task_id: id, ...members('input', input), ...members('output', output) }
  if (error !== null) cells['error'] = error
  for (const { evaluator, status, result, error: fault } of evaluations) {
    cells[`${evaluator}.status`] = status
    Object.assign(cells, members(evaluator, result ?? {}))
    if (fault !== null) cells[`${evaluator}.error`] = fault
  }
  return cells
}

function members(prefix: string, value: unknown): Record<string, unknown> {
  if (value === null || value === undefined) return {}
  if (typeof value !== 'object' || Array.isArray(value)) return { [prefix]: value }
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [`${prefix}.${key}`, member]))
}

async function* tasksOf({ store, projectId, run }: RunSource): AsyncGenerator<Task> {
  let after: string | null = null
  for (;;) {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage({ store, projectId, run }, after)
    yield* page.map(toTask)
    after = page.at(-1)?.task.id ?? null
    if (page.length < pageTasks || after === null) return
  }
}

function readPage({ store, projectId, run }: RunSource, after: string | null) {
  return store.read(projectId, 'tasks', { runId: run.id, limit: pageTasks, after })
}

type Stored = Awaited<ReturnType<typeof readPage>>[number]

function toTask({ task, executions }: Stored): Task {
  return {
    id: task.id,
    input: JSON.parse(task.input),
    output: task.output === null ? null : JSON.parse(task.output),
    error: task.error,
    evaluations: executions.map(toEvaluation),
  }
}

function toEvaluation({ id, evaluator, status, score: json, error: fault }: Stored['executions'][number]): Evaluation {
  const score: Score | null = json === null ? null : scoreSchema.parse(JSON.parse(json))
  const result = score?.outcome === 'scored' ? fieldsOf(score) : null
  const told = fault === null ? null : faultSchema.parse(JSON.parse(fault)).message
  const error = told ?? (result === null ? (score?.explanation ?? null) : null)
  return { execution_id: id, evaluator, status, result, error }
}

const faultSchema = z.object({ message: z.string() })

/** The first text is read before the answer begins, so that what fails at once still fails with a status. */
async function begun(texts: AsyncGenerator<string>): Promise<Readable> {
  const first = await texts.next()
  async function* all() {
    if (first.done) return
    yield Buffer.from(first.value)
    for await (const text of texts) yield Buffer.from(text)
  }
  return Readable.from(all(), { objectMode: false, highWaterMark: 64 * 1024 })
}
