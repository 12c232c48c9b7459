/** What runs do otherwise than the first of them. */
import type { Run } from '@llm-eval/protocol'
import { writeJson } from '../api/exact-json.ts'
import { formatLatency, unknown } from './numbers.ts'

/** A fact of which runs do not have the same value; in the order of the runs. */
export interface Difference {
  name: string
  values: string[]
  /** Long texts are compared by their words. */
  isLong: boolean
}

/** Members of what its owner says of a run. */
const mostEntries = 50

/** What differs, and how many facts do not. */
export function differencesOf(runs: readonly Run[]): { differences: Difference[]; same: number } {
  const facts = runs.map(factsOf)
  const names = [...new Set(facts.flatMap((all) => [...all.keys()]))]
  const all = names.map((name): Difference => {
    const values = facts.map((one) => one.get(name) ?? unknown)
    return { name, values, isLong: values.some((value) => value.length > 80 || value.includes('\n')) }
  })
  const differences = all.filter(({ values: [first, ...others] }) => others.some((value) => value !== first))
  return { differences, same: all.length - differences.length }
}

function factsOf(run: Run): Map<string, string> {
  const facts = new Map<string, string>()
  const say = (name: string, value: string | number | null | undefined): void => {
    if (value !== null && value !== undefined) facts.set(name, String(value))
  }
  say('Dataset', run.dataset_name)
  say('Version of the dataset', run.dataset_version)
  say('Model', run.model_name)
  say('Version of the model', run.model_version)
  for (const [name, value] of taskFacts(run)) say(name, value)
  for (const { name, evaluator, config } of run.metrics_used)
    say(`Metric ${name}`, config === undefined ? evaluator : `${evaluator} ${writeJson(config)}`)
  const { repetitions, concurrency, timeout_ms: timeout, retries, limits, decision } = run.settings
  say('Repetitions', repetitions)
  say('Concurrency', concurrency)
  say('Time limit of an attempt', formatLatency(timeout))
  say('Retries', retries)
  if (limits.cost !== undefined) say('Limit of cost', limits.cost)
  if (limits.duration_ms !== undefined) say('Limit of time', formatLatency(limits.duration_ms))
  if (decision !== null) say('Decision', writeJson(decision))
  say('Kind of task', run.task_type)
  say('Environment', run.environment)
  if (run.tags.length > 0) say('Tags', run.tags.join(', '))
  for (const [words, entries] of [
    ['Config', run.config],
    ['Metadata', run.metadata],
  ] as const)
    for (const [key, value] of Object.entries(entries).slice(0, mostEntries))
      say(`${words} ${key}`, typeof value === 'string' ? value : writeJson(value))
  return facts
}

function taskFacts({ task }: Run): [name: string, value: string | undefined][] {
  switch (task.kind) {
    case 'client':
      return [['Task', 'user code']]
    case 'outputs':
      return [
        ['Task', 'answers that exist'],
        ['Column of answers', task.column],
      ]
    case 'http':
      return [
        ['Task', 'an endpoint'],
        ['Endpoint', task.url],
        ['Output at', task.output],
      ]
    case 'prompt':
      return [
        ['Task', 'a prompt'],
        ['Asked model', task.model],
        ['Prompt', task.template],
        ['System prompt', task.system],
      ]
  }
}
