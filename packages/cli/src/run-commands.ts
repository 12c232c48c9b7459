import { limits, runStatuses } from '@llm-eval/protocol'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { examples, type Parts } from './command.ts'
import { amount, moment, timeSpan, wholeNumber } from './moments.ts'

/** Orders of the list, as the wire calls them. */
const runOrders = ['created_at', 'name', 'status', 'success_rate', 'duration_seconds']

/** `llm-eval runs …` */
export function addRuns(program: Command, parts: Parts): void {
  const runs = program.command('runs').description('Start, follow, list and show runs over a dataset.')
  addStarting(runs, parts)
  addShowing(runs, parts)
  addEnding(runs, parts)
}

function addStarting(runs: Command, { terminal, perform }: Parts): void {
  const load = () => import('./commands/run-changes.ts')
  const start = runs.command('start').description('Start a run that the server works off.')
  start
    .argument('[file]', 'the run as JSON, as POST /api/v1/runs takes it, or - for standard input; flags go over it')
    .option('--dataset <slug>', 'the dataset, by its slug or id')
    .option('--at <version>', 'its version; the newest unless said')
    .option('--endpoint <url>', 'ask this endpoint for each case')
    .option('--header <header>', 'with --endpoint: "Name: value", sent along', several)
    .option('--output <path>', 'with --endpoint: where the output stands in its answer, such as choices.0.text')
    .option('--prompt <text>', 'ask a language model; {{column}} is a value of the case, {{input}} its input; or @FILE')
    .option('--system <text>', 'with --prompt: the instructions')
    .option('--model <name>', 'with --prompt: provider/model; the default model unless said')
    .option('--outputs <column>', 'take the answers from this column of the dataset')
    .option('-m, --metric <evaluator>', 'score with it; NAME=EVALUATOR to name it; as often as you like', several)
    .option('--repetitions <times>', 'ask every case so often', wholeNumber(1, limits.runRepetitions))
    .option('--concurrency <items>', 'so many at the same time', wholeNumber(1, limits.runConcurrency))
    .option('--timeout <time>', 'of one attempt at one item: 90s, 5m', timeSpan)
    .option('--retries <times>', 'attempts after the first', wholeNumber(0, limits.runRetries))
    .option('--max-cost <usd>', 'end the run when it has cost so much', amount)
    .option('--max-time <time>', 'end the run after so long: 5m, 2h', timeSpan)
    .option('--name <name>', 'what it is called; as its dataset unless said')
    .option('--description <text>', 'what it is about')
    .option('--tag <tag>', 'a tag; as often as you like', several)
    .option('--id <id>', 'its id; made unless said. The same again starts nothing new')
    .option('--watch', 'stay until it is over, with a progress bar on a terminal')
    .option('--json', 'the run as one JSON object')
  examples(start, [
    'llm-eval runs start --dataset golden --endpoint https://agent.example.com/answer -m exact-match --watch',
    'llm-eval runs start --dataset golden --prompt "Answer: {{question}}" -m rouge-l -m faithfulness',
    'llm-eval runs start --dataset golden --outputs answer -m right=exact-match --json | jq -r .run_id',
    'llm-eval runs start nightly.json --repetitions 3 --watch',
    '',
    watchCodes,
  ])
  start.action((file: string | undefined, _options, command: Command) =>
    perform(async () => (await load()).startRun(terminal, file, command.optsWithGlobals())),
  )

  const watch = runs.command('watch').description('Stay until a run is over, and show it then.')
  watch.argument('<run-id>', 'its id').option('--json', 'the run as one JSON object')
  examples(watch, ['llm-eval runs watch run_0a1b2c3d4e', '', watchCodes])
  watch.action((id: string, _options, command: Command) =>
    perform(async () => (await load()).watchRun(terminal, id, command.optsWithGlobals())),
  )

  const resume = runs.command('resume').description('Go on with a run that is over: only what is missing is done.')
  resume
    .argument('<run-id>', 'its id')
    .option('--watch', 'stay until it is over')
    .option('--json', 'the run as one JSON object')
  examples(resume, ['llm-eval runs resume run_0a1b2c3d4e --watch', '', watchCodes])
  resume.action((id: string, _options, command: Command) =>
    perform(async () => (await load()).resumeRun(terminal, id, command.optsWithGlobals())),
  )
}

const watchCodes =
  'Exit codes where it stays: 0 the run is completed, whatever its scores; 1 it failed, was cancelled or abandoned; 2 it could ' +
  'not be started or followed. After Ctrl-C (130) the run goes on.'

function addShowing(runs: Command, { terminal, perform }: Parts): void {
  const list = runs.command('list').description('List runs, newest first.')
  list
    .option('--dataset <name>', 'only over this dataset, by its name')
    .option('--model <name>', 'only of this model')
    .addOption(new Option('--status <status>', 'only those that stand so').choices(runStatuses))
    .option('--by <name>', 'only made by them')
    .option('--tag <tag>', 'only with this tag; as often as you like', several)
    .option('--min-success <share>', 'at least this share of items without an error, 0 to 1', amount)
    .option('--max-duration <time>', 'worked on for so long at most: 90s, 5m', timeSpan)
    .option('--after <time>', 'made from this time on: 24h, 7d, 2025-01-27, or RFC 3339', moment('ago'))
    .option('--before <time>', 'made before this time', moment('ago'))
    .option('--search <words>', 'somewhere in name or description')
    .addOption(new Option('--order <order>', 'by what').choices(runOrders).default('created_at'))
    .option('--ascending', 'the smallest, or oldest, first')
    .option('-n, --limit <runs>', 'so many', wholeNumber(1, limits.pageRows), 20)
    .option('--cursor <cursor>', 'go on where the last page ended')
    .option('--json', 'each run as a line of JSON')
  examples(list, [
    'llm-eval runs list',
    'llm-eval runs list --status completed --tag nightly --order success_rate',
    'llm-eval runs list --after 7d --json | jq -r .run_id',
  ])
  list.action((_options, command: Command) =>
    perform(async () => (await import('./commands/runs.ts')).listRuns(terminal, command.optsWithGlobals())),
  )

  const show = runs.command('show').description('Show a run with its metrics and what went wrong.')
  show.argument('<run-id>', 'its id').option('--json', 'as JSON')
  examples(show, ['llm-eval runs show run_0a1b2c3d4e', 'llm-eval runs show run_0a1b2c3d4e --json | jq .metrics'])
  show.action((id: string, _options, command: Command) =>
    perform(async () => (await import('./commands/runs.ts')).showRun(terminal, id, command.optsWithGlobals())),
  )

  const items = runs.command('items').description('List the finished items of a run, in the order of its dataset.')
  items
    .argument('<run-id>', 'its id')
    .addOption(new Option('--status <status>', 'only those').choices(['success', 'failed']))
    .option('--below <metric=value>', 'only items that are scored below this', metricValue)
    .option('--case <text>', 'somewhere in the id of the case')
    .option('-n, --limit <items>', 'so many', wholeNumber(1, 1_000_000), 20)
    .option('--json', 'each item as a line of JSON')
  examples(items, [
    'llm-eval runs items run_0a1b2c3d4e --status failed',
    'llm-eval runs items run_0a1b2c3d4e --below rouge-l=0.5 --json | jq .output',
  ])
  items.action((id: string, _options, command: Command) =>
    perform(async () => (await import('./commands/run-items.ts')).listItems(terminal, id, command.optsWithGlobals())),
  )
}

function addEnding(runs: Command, { terminal, perform }: Parts): void {
  const load = () => import('./commands/run-changes.ts')
  const cancel = runs.command('cancel').description('End a run that is not over; what is finished stays.')
  cancel.argument('<run-id>', 'its id').option('--json', 'the run as one JSON object')
  examples(cancel, ['llm-eval runs cancel run_0a1b2c3d4e'])
  cancel.action((id: string, _options, command: Command) =>
    perform(async () => (await load()).cancelRun(terminal, id, command.optsWithGlobals())),
  )

  for (const [name, work] of [
    ['approve', 'approveRun'],
    ['reject', 'rejectRun'],
  ] as const) {
    const decide = runs.command(name).description(`${name === 'approve' ? 'Approve' : 'Reject'} a run that is over.`)
    decide
      .argument('<run-id>', 'its id')
      .option('--note <text>', 'why')
      .option('--by <name>', 'who decides; the name of the key unless said')
      .option('--json', 'the run as one JSON object')
    examples(decide, [`llm-eval runs ${name} run_0a1b2c3d4e`, `llm-eval runs ${name} run_0a1b2c3d4e --note "Seen."`])
    decide.action((id: string, _options, command: Command) =>
      perform(async () => (await load())[work](terminal, id, command.optsWithGlobals())),
    )
  }

  const remove = runs.command('delete').description('Delete a run with all of its items.')
  remove.argument('<run-id>', 'its id').option('--yes', 'do not ask')
  examples(remove, ['llm-eval runs delete run_0a1b2c3d4e', 'llm-eval runs delete run_0a1b2c3d4e --yes'])
  remove.action((id: string, _options, command: Command) =>
    perform(async () => (await load()).deleteRun(terminal, id, command.optsWithGlobals())),
  )
}

export function several(text: string, before: string[] = []): string[] {
  return [...before, text]
}

/** Reads `metric=0.9`. The name may hold `=`. */
function metricValue(text: string): { name: string; value: number } {
  const at = text.lastIndexOf('=')
  const number = text.slice(at + 1).trim()
  const value = number === '' ? Number.NaN : Number(number)
  if (at <= 0 || !Number.isFinite(value)) throw new InvalidArgumentError('Give a metric and a number: rouge-l=0.9.')
  return { name: text.slice(0, at), value }
}

/** `llm-eval compare` */
export function addCompare(program: Command, { terminal, perform }: Parts): void {
  const compare = program.command('compare').description('Hold runs against the first, case by case, and gate on it.')
  compare
    .argument('<run-ids...>', 'two to ten runs, the baseline first; or one, with --min or --max', upToTen)
    .addOption(
      new Option('--fail-on <what>', 'no metric may be worse than that of the first run').choices(['regression']),
    )
    .option('--min <metric=value>', 'the mean must be at least this; as often as you like', severalBounds)
    .option('--max <metric=value>', 'the mean must be at most this; as often as you like', severalBounds)
    .option('--allow-partial', 'hold runs that are not complete to what is there of them; they do not pass unless said')
    .option('--level <share>', 'of intervals and verdicts, between 0 and 1', level, 0.95)
    .option('--sort-by <metric>', 'the metric that says which cases are the worst; all unless said')
    .option('--cases <cases>', 'list so many cases, the worst first', wholeNumber(0, limits.comparedCases), 10)
    .option('--no-texts', 'do not show what was expected and answered in the cases that became worse')
    .option('--markdown', 'a summary for a pull request')
    .option('--junit <file>', 'write what was asked, and the cases that became worse, to this file as JUnit XML')
    .option('--json', 'as one JSON object: comparison and gate')
  examples(compare, [
    'llm-eval compare run_before run_after',
    'llm-eval compare run_before run_after --fail-on regression --min faithfulness=0.9 --junit gate.xml',
    'llm-eval compare run_before run_after --markdown >> "$GITHUB_STEP_SUMMARY"',
    'llm-eval compare run_after --min rouge-l=0.6 --max toxicity=0.01',
    '',
    'Bounds hold for every run but the first. Exit codes: 0 passed, or nothing was asked; 1 the gate failed; 3 it cannot be ' +
      'told: scores are missing, a run is not complete, evaluators changed or have no version, there is too little data; 2 ' +
      'it could not be tried.',
  ])
  compare.action((ids: string[], _options, command: Command) =>
    perform(async () => (await import('./commands/compare.ts')).compareRuns(terminal, ids, command.optsWithGlobals())),
  )
}

function upToTen(id: string, before: string[] = []): string[] {
  if (before.includes(id)) throw new InvalidArgumentError(`It is named twice: ${id}.`)
  if (before.length === limits.comparedRuns)
    throw new InvalidArgumentError(`At most ${limits.comparedRuns} runs can be compared.`)
  return [...before, id]
}

type MetricValue = ReturnType<typeof metricValue>

export function severalBounds(text: string, before: MetricValue[] = []): MetricValue[] {
  return [...before, metricValue(text)]
}

function level(text: string): number {
  const value = amount(text)
  if (value <= 0 || value >= 1) throw new InvalidArgumentError('Give a number between 0 and 1.')
  return value
}
