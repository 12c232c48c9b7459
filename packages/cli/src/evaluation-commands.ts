import { type Command, Option } from 'commander'
import { evaluatorCategories, evaluatorKinds } from '@llm-eval/protocol'
import { timeSpan } from './moments.ts'
import { examples, type Parts } from './command.ts'

/** `llm-eval datasets …` */
export function addDatasets(program: Command, { terminal, perform }: Parts): void {
  const datasets = program.command('datasets').description('Import, list, publish and export datasets.')
  const load = () => import('./commands/datasets.ts')
  const list = datasets.command('list').description('List the datasets, newest first.')
  list.option('--json', 'each dataset as a line of JSON')
  examples(list, ['llm-eval datasets list'])
  list.action((_options, command: Command) =>
    perform(async () => (await load()).listDatasets(terminal, command.optsWithGlobals())),
  )

  const show = datasets.command('show').description('Show a dataset with its columns and versions.')
  show.argument('<dataset>', 'its slug or id').option('--json', 'as JSON')
  examples(show, ['llm-eval datasets show golden', 'llm-eval datasets show golden --json | jq .versions'])
  show.action((key: string, _options, command: Command) =>
    perform(async () => (await load()).showDataset(terminal, key, command.optsWithGlobals())),
  )

  const importing = datasets.command('import').description('Add the rows of a CSV, JSON Lines or JSON file. Any size.')
  importing
    .argument('<file>', 'the file, also with .gz behind its ending, or - for standard input')
    .option('--dataset <slug>', 'where to; it is made when it is not there; the name of the file unless said')
    .addOption(new Option('--format <format>', 'what it is; its ending says it, too').choices(['csv', 'jsonl', 'json']))
    .option('--json', 'the report as one JSON object')
  examples(importing, [
    'llm-eval datasets import golden.csv',
    'llm-eval datasets import cases.jsonl.gz --dataset golden',
    'jq -c .cases[] suite.json | llm-eval datasets import - --dataset golden --format jsonl',
    '',
    'Good rows are kept whatever becomes of the others. Exit code 1: some were refused, or the file broke off.',
  ])
  importing.action((file: string, _options, command: Command) =>
    perform(async () => (await load()).importRows(terminal, file, command.optsWithGlobals())),
  )

  const exporting = datasets.command('export').description('Write the rows of a dataset to a file.')
  exporting
    .argument('<dataset>', 'its slug or id')
    .option('--at <version>', 'the rows of this version; the draft unless said')
    .addOption(new Option('--format <format>', 'what to write').choices(['csv', 'jsonl', 'json']).default('jsonl'))
    .option('-o, --output <file>', 'the file; standard output unless said')
    .option('--force', 'overwrite the file')
  examples(exporting, [
    'llm-eval datasets export golden --at v1 -o golden.jsonl',
    'llm-eval datasets export golden --format csv > golden.csv',
  ])
  exporting.action((key: string, _options, command: Command) =>
    perform(async () => (await load()).exportDataset(terminal, key, command.optsWithGlobals())),
  )

  const publish = datasets.command('publish').description('Make the draft a version that never changes.')
  publish
    .argument('<dataset>', 'its slug or id')
    .option('--as <version>', 'its name; v1, v2, … unless said')
    .option('--json', 'as JSON')
  examples(publish, ['llm-eval datasets publish golden', 'llm-eval datasets publish golden --as 2026-01'])
  publish.action((key: string, _options, command: Command) =>
    perform(async () => (await load()).publishDataset(terminal, key, command.optsWithGlobals())),
  )
}

/** `llm-eval evaluators …` */
export function addEvaluators(program: Command, { terminal, perform }: Parts): void {
  const evaluators = program.command('evaluators').description('List, show and run evaluators.')
  const load = () => import('./commands/evaluators.ts')
  const list = evaluators.command('list').description('List the evaluators there are.')
  list
    .addOption(new Option('--kind <kind>', 'only of this kind').choices(evaluatorKinds))
    .addOption(new Option('--category <category>', 'only of this category').choices(evaluatorCategories))
    .addOption(new Option('--source <source>', 'only those').choices(['builtin', 'custom']))
    .option('--search <words>', 'every word in slug, name or description')
    .option('--json', 'each evaluator as a line of JSON')
  examples(list, ['llm-eval evaluators list --kind judge', 'llm-eval evaluators list --search json'])
  list.action((_options, command: Command) =>
    perform(async () => (await load()).listEvaluators(terminal, command.optsWithGlobals())),
  )

  const show = evaluators.command('show').description('Show what an evaluator needs and gives, and its versions.')
  show.argument('<evaluator>', 'its slug, or another of its names').option('--json', 'as JSON')
  examples(show, ['llm-eval evaluators show rouge-l', 'llm-eval evaluators show faithfulness --json | jq .calibration'])
  show.action((slug: string, _options, command: Command) =>
    perform(async () => (await load()).showEvaluator(terminal, slug, command.optsWithGlobals())),
  )
  addRunning(evaluators, { terminal, perform })
}

const scoreCodes =
  'Exit codes: 0 scored, and passed or without a verdict; 1 it did not pass; 3 skipped: evidence is missing; 4 the evaluator ' +
  'failed, or was cancelled; 2 it could not be tried, or the time is up: then it goes on, and `result` has its score.'

function addRunning(evaluators: Command, { terminal, perform }: Parts): void {
  const load = () => import('./commands/run-evaluator.ts')
  const run = evaluators.command('run').description('Apply an evaluator to an input, or to a stored trace.')
  run
    .argument('<evaluator>', 'its slug, or another of its names')
    .option('-i, --input <name=value>', 'a field of its input; or @FILE, or -: an object of fields, as JSON', several)
    .option('-s, --set <name=value>', 'a member of its configuration; or @FILE: an object of them, as JSON', several)
    .option('--trace <id>', 'this trace gives what the input does not, and keeps the score')
    .option('--at <version>', 'a version of it; the newest unless said')
    .option('--wait', 'wait for the score, which is what it does anyway')
    .option('--no-wait', 'print the id of the execution, and end')
    .option('--timeout <time>', 'wait so long at most: 90s, 5m', timeSpan, defaultWaitMs)
    .option('--json', 'the execution as one JSON object')
  examples(run, [
    'llm-eval evaluators run exact-match -i response=Paris -i reference=Paris',
    'llm-eval evaluators run rouge-l -i @case.json -s threshold=0.8',
    'llm-eval evaluators run faithfulness --trace unique_trace_id --json | jq .score',
    'llm-eval evaluators run json-validator -i "response=$(cat answer.json)"',
    '',
    scoreCodes,
  ])
  run.action((slug: string, _options, command: Command) =>
    perform(async () => (await load()).runEvaluator(terminal, slug, command.optsWithGlobals())),
  )

  const result = evaluators.command('result').description('Wait for an execution, and show its score.')
  result
    .argument('<execution-id>', 'its id, as `run --no-wait` prints it')
    .option('--timeout <time>', 'wait so long at most: 90s, 5m', timeSpan, defaultWaitMs)
    .option('--json', 'the execution as one JSON object')
  examples(result, ['llm-eval evaluators result exe_1f0c6f0e7e0d4c559d3f5a3f4c7b2f10', '', scoreCodes])
  result.action((id: string, _options, command: Command) =>
    perform(async () => (await load()).showResult(terminal, id, command.optsWithGlobals())),
  )
}

const defaultWaitMs = 300_000

function several(text: string, before: string[] = []): string[] {
  return [...before, text]
}
