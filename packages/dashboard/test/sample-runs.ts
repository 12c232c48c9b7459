import type { Stage } from './stage.ts'

/** An item as user code sends it; what is missing gets a value. */
export interface SentItem {
  item_index: number
  [field: string]: unknown
}

/** Makes a run that user code works off, and begins it. */
export async function makeRun(stage: Pick<Stage, 'call'>, id: string, fields: object = {}): Promise<void> {
  const plain = { run_id: id, name: id, dataset_name: 'questions', metrics_used: ['correct', 'similarity'] }
  await stage.call('POST', '/api/v1/runs', { ...plain, ...fields })
}

/** Sends finished items of a run. */
export async function finish(stage: Pick<Stage, 'call'>, id: string, items: readonly SentItem[]): Promise<void> {
  for (let first = 0; first < items.length; first += 500) {
    const events = items.slice(first, first + 500).map((item) => ({
      event_id: `${item.item_index}`,
      sequence: item.item_index,
      type: 'item_finished',
      case_id: `case-${item.item_index}`,
      status: 'success',
      input: `question ${item.item_index}`,
      output: `answer ${item.item_index}`,
      ...item,
    }))
    await stage.call('POST', `/api/v1/runs/${encodeURIComponent(id)}/events`, { schema_version: 1, events })
  }
}

/** Ends a run of user code. */
export async function endRun(stage: Pick<Stage, 'call'>, id: string, fields: object = {}): Promise<void> {
  const event = { event_id: 'end', sequence: 1_000_000, type: 'run_ended', ...fields }
  await stage.call('POST', `/api/v1/runs/${encodeURIComponent(id)}/events`, { schema_version: 1, events: [event] })
}

/** A row of items of all kinds: every seventh fails, evaluators skip and fail some, some costs are unknown. */
export function sampleItems(count: number, from = 0): SentItem[] {
  return Array.from({ length: count }, (_, at) => sampleItem(from + at))
}

function sampleItem(index: number): SentItem {
  const place = { item_index: index, response_time_ms: 100 + index, tokens: 30, cost: index % 10 === 9 ? null : 0.001 }
  if (index % 7 === 3) {
    const error = { code: index % 2 === 0 ? 'timeout' : 'execution_failed', message: `No answer after ${index} s` }
    return { ...place, status: 'failed', output: null, error }
  }
  const similarity =
    index % 11 === 5
      ? { outcome: 'errored', fault: 'provider_error', explanation: `The provider answered 429 to request ${index}` }
      : index % 11 === 6
        ? { outcome: 'skipped', fault: 'missing_evidence' }
        : { value: (index % 5) / 4, explanation: 'They say the same.' }
  return { ...place, expected: `answer ${index}`, scores: { correct: { passed: index % 3 !== 0 }, similarity } }
}

/** A run of items of all kinds that is over, with names that are as long as they may well be. */
export async function longNamedRun(stage: Pick<Stage, 'call'>, id: string): Promise<void> {
  const long = 'a_name_of_a_metric_that_is_as_long_as_names_may_be_without_a_single_space_in_it'
  await makeRun(stage, id, {
    name: `${long}_of_a_run`,
    description: `${'A long description. '.repeat(20)}${'wide'.repeat(100)}`,
    total_items: 90,
    metrics_used: ['correct', 'similarity', long, { name: `${long}_2`, evaluator: 'length', config: { max: 10 } }],
    tags: Array.from({ length: 12 }, (_, at) => `a-tag-of-some-length-${at}`),
    metadata: { [long]: 'x'.repeat(500) },
    model_name: long,
  })
  const items = sampleItems(70).map((item) => ({ ...item, case_id: `${item.item_index}-${long}` }))
  await finish(stage, id, [...items, { item_index: 70, output: 'W'.repeat(3_000), scores: { [long]: { value: 1e9 } } }])
  await endRun(stage, id, { status: 'failed', error: { code: 'lost', message: `It was lost: ${'wide'.repeat(100)}` } })
  await stage.call('POST', `/api/v1/runs/${id}/reject`, { note: 'A long note. '.repeat(20), by: long })
}
