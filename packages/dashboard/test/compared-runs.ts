import type { Stage } from './stage.ts'

/** A run of user code, made of what it would have sent. */
export interface Making {
  name?: string
  cases?: number
  /** Names of its metrics; less is better in those that begin with a minus. */
  metrics?: readonly string[]
  /** Of a case in a metric; null is an evaluator that failed. */
  score?: (index: number, metric: string) => number | null
  caseId?: (index: number) => string
  output?: (index: number) => unknown
  expected?: (index: number) => unknown
  /** A run that goes on has a total beyond its items. */
  total?: number
  ends?: boolean
  more?: Record<string, unknown>
}

const atOnce = 400

/** Makes it, and sends its items. */
export async function makeRun(stage: Stage, id: string, making: Making = {}): Promise<void> {
  const { name = id, cases = 40, metrics = ['quality'], total, ends = true, more = {} } = making
  const metrics_used = metrics.map((metric) => {
    const direction = metric.startsWith('-') ? 'lower' : 'higher'
    return { name: metric, evaluator: 'mine', direction, evaluator_version: '1' }
  })
  const made = { run_id: id, name, metrics_used, ...(total === undefined ? {} : { total_items: total }), ...more }
  await stage.call('POST', '/api/v1/runs', made)
  await sendItems(stage, id, { ...making, from: 0, cases })
  if (ends) await endRun(stage, id)
}

/** Sends more of its items. */
export async function sendItems(
  stage: Stage,
  id: string,
  { from, cases = 40, metrics = ['quality'], score = () => 1, ...rest }: Making & { from: number },
): Promise<void> {
  const { caseId = (index) => `case-${index}`, output = (index) => `answer ${index}`, expected } = rest
  for (let start = from; start < cases; start += atOnce) {
    const events = Array.from({ length: Math.min(atOnce, cases - start) }, (_, at) => {
      const index = start + at
      const scores = metrics.map((metric): [string, object] => {
        const value = score(index, metric)
        return [metric, value === null ? { outcome: 'errored', fault: 'threw' } : { value }]
      })
      return {
        type: 'item_finished',
        event_id: `${index}`,
        sequence: index,
        item_index: index,
        case_id: caseId(index),
        status: 'success',
        input: `question ${index}`,
        ...(expected ? { expected: expected(index) } : {}),
        output: output(index),
        scores: Object.fromEntries(scores),
        response_time_ms: 100 + index,
        cost: 0.001,
      }
    })
    await stage.call('POST', `/api/v1/runs/${encodeURIComponent(id)}/events`, { schema_version: 1, events })
  }
}

export async function endRun(stage: Stage, id: string): Promise<void> {
  const events = [{ type: 'run_ended', event_id: 'end', sequence: 1_000_000 }]
  await stage.call('POST', `/api/v1/runs/${encodeURIComponent(id)}/events`, { schema_version: 1, events })
}
