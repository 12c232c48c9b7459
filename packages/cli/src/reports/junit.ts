import { count } from '../display/amounts.ts'
import { mostReportedItems, type Reported } from './gather.ts'
import { type JunitSuite, type JunitTest, junitXml } from './junit-xml.ts'

/**
 * Evaluations as JUnit XML: a suite for each, with a test for each item (an error where the task gave no answer) and one for each
 * thing that was asked (an error where it cannot be told), and one for the verdict. None is green that the exit code says is not.
 */
export function junitOf(all: readonly Reported[]): string {
  return junitXml(all.map(suiteOf))
}

function suiteOf(reported: Reported): JunitSuite {
  const { run, items } = reported
  const untold = run.completed_items - items.length
  return {
    name: run.name,
    seconds: (run.duration_ms ?? 0) / 1_000,
    timestamp: run.created_at,
    facts: [
      ['run_id', run.run_id],
      ['dataset', run.dataset_name],
      ...(untold > 0
        ? [['items_not_listed', `${untold}, as a report lists ${count(mostReportedItems)}`] as const]
        : []),
    ],
    tests: testsOf(reported),
  }
}

function testsOf({ run, items, gate, exitCode, verdict }: Reported): JunitTest[] {
  const ofItems = items.map(({ case_id: id, repetition, status, error, response_time_ms: ms }): JunitTest => {
    const failed = status === 'failed'
    return {
      name: repetition > 1 ? `${id} (${repetition})` : id,
      group: `${run.name}.items`,
      seconds: ms === null ? null : ms / 1_000,
      outcome: failed ? 'cannot_tell' : 'pass',
      message: failed ? `${error?.code ?? 'failed'}: ${error?.message ?? ''}` : '',
    }
  })
  const ofGate = (gate?.reasons ?? []).map(({ outcome, metric, message }): JunitTest => {
    return { name: metric ?? 'gate', group: `${run.name}.gate`, seconds: null, outcome, message }
  })
  const outcome = exitCode === 0 ? 'pass' : exitCode === 1 ? 'fail' : 'cannot_tell'
  return [...ofGate, { name: 'verdict', group: run.name, seconds: null, outcome, message: verdict }, ...ofItems]
}
