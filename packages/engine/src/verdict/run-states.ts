import type { Run, RunsCompared, RunWarning } from '@llm-eval/protocol'

/** How a run stands, and what it is over. */
export type RunState = Pick<
  Run,
  'run_id' | 'status' | 'stopped_by' | 'total_items' | 'completed_items' | 'dataset_id' | 'dataset_version'
>

type Told = Pick<RunWarning, 'code' | 'message'>

/** Why a run is not all of what it was to be; null where it is. */
export function shortOf({ status, stopped_by: by, completed_items: done, total_items: total }: RunState): Told | null {
  const far = `with ${amount(done)} of ${total === null ? 'an unknown number of' : amount(total)} items done`
  switch (status) {
    case 'queued':
    case 'running':
      return { code: 'not_finished', message: `the run is ${status}, ${far}.` }
    case 'failed':
    case 'cancelled':
    case 'abandoned':
      return { code: status, message: `the run is ${status}, ${far}.` }
    case 'completed':
  }
  if (by !== null) return { code: 'stopped', message: `the run ended early (${by.replaceAll('_', ' ')}), ${far}.` }
  if (total !== null && done < total) return { code: 'incomplete', message: `the run is completed, but ${far}.` }
  return null
}

/** What speaks against runs, and against holding them against the first. */
export function warningsAbout(runs: readonly RunState[], compared: RunsCompared | null): RunWarning[] {
  const [first, ...others] = runs
  if (!first) return []
  const short = runs.flatMap((run): RunWarning[] => {
    const told = shortOf(run)
    return told ? [{ run_id: run.run_id, ...told }] : []
  })
  const data = others.flatMap((run): RunWarning[] => {
    const told = otherData(first, run)
    return told ? [{ run_id: run.run_id, ...told }] : []
  })
  const nothing: RunWarning[] =
    compared !== null && compared.cases_total > 0 && compared.cases_shared === 0 && others.length > 0
      ? [{ run_id: first.run_id, code: 'no_shared_cases', message: 'no case is in all of the runs.' }]
      : []
  return [...short, ...data, ...otherEvaluators(compared), ...nothing]
}

function otherEvaluators(compared: RunsCompared | null): RunWarning[] {
  return (compared?.compared ?? []).flatMap(({ run_id: id, metrics }): RunWarning[] => {
    const names = metrics.filter(({ evaluator }) => evaluator === 'changed').map(({ name }) => name)
    if (names.length === 0) return []
    const message = `the evaluator is not that of the first run in ${names.join(', ')}: differences may be its own.`
    return [{ run_id: id, code: 'other_evaluator', message }]
  })
}

function otherData(first: RunState, { dataset_id: id, dataset_version: version }: RunState): Told | null {
  if (id !== first.dataset_id)
    return { code: 'other_dataset', message: 'the run is over another dataset than the first.' }
  if (version === first.dataset_version) return null
  return { code: 'other_version', message: 'the run is over another version of the dataset than the first.' }
}

function amount(count: number): string {
  return count.toLocaleString('en-US')
}
