/** Sums runs up and compares them, in a thread: of many items that takes long, and others wait for answers meanwhile. */
import { parentPort } from 'node:worker_threads'
import { type ColumnMetric, compareRuns, type CompareRunsOptions, RunColumns, summarise } from '@llm-eval/engine'
import { Failure, type RunMetricSummary, type RunsCompared } from '@llm-eval/protocol'
import type { RunColumns as RunPage } from '@llm-eval/store'
import { addPage } from './run-columns.ts'

/** What the thread is told, in this order: the runs with their pages, one after the other, then what is wanted of them. */
export type NumbersTask =
  | { kind: 'run'; runId: string; metrics: ColumnMetric[] }
  | { kind: 'page'; page: RunPage }
  | { kind: 'summarise' }
  /** `summed`: for which a gate has bounds. */
  | ({ kind: 'compare'; summed: 'each' | 'none' } & CompareRunsOptions)
  | { kind: 'forget' }

/** What it says to the last. */
export type NumbersReply =
  | { kind: 'summary'; summary: RunMetricSummary[] }
  | { kind: 'comparison'; comparison: RunsCompared; summaries: RunMetricSummary[][] }
  | { kind: 'refused'; failure: Pick<Failure, 'code' | 'errors'> }
  | { kind: 'broken'; message: string }

const port = parentPort
if (!port) throw new Error('this module runs in a thread')

let runs: RunColumns[] = []
// The runs stay: who sorts a comparison otherwise, or asks its gate, asks of the same.
const say = (reply: NumbersReply) => port.postMessage(reply)

port.on('message', (task: NumbersTask) => {
  try {
    take(task)
  } catch (error) {
    if (error instanceof Failure) say({ kind: 'refused', failure: { code: error.code, errors: error.errors } })
    else say({ kind: 'broken', message: error instanceof Error ? error.message : String(error) })
  }
})

function take(task: NumbersTask): void {
  switch (task.kind) {
    case 'run':
      runs.push(new RunColumns(task.runId, task.metrics))
      break
    case 'page':
      addPage(runs.at(-1), task.page)
      break
    case 'summarise':
      say({ kind: 'summary', summary: runs[0] ? summarise(runs[0]) : [] })
      break
    case 'compare': {
      const [only] = runs
      say({
        kind: 'comparison',
        comparison: only && runs.length === 1 ? alone(only) : compareRuns(runs, task),
        summaries: task.summed === 'each' ? runs.map((run) => summarise(run)) : [],
      })
      break
    }
    case 'forget':
      runs = []
  }
}

/** A single run is compared with nothing: it is held against bounds. */
function alone({ runId, cases: { size } }: RunColumns): RunsCompared {
  return {
    runs: [runId],
    compared: [],
    cases_total: size,
    cases_shared: size,
    cases_matching: 0,
    cases: [],
    points: [],
  }
}
