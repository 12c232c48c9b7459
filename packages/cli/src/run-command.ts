import { limits } from '@llm-eval/protocol'
import { type Command, Option } from 'commander'
import { examples, type Parts } from './command.ts'
import { timeSpan, wholeNumber } from './moments.ts'
import { several, severalBounds } from './run-commands.ts'

/** `llm-eval run` */
export function addRun(program: Command, { terminal, perform }: Parts): void {
  const run = program
    .command('run')
    .description('Evaluate what eval.ts describes: a task over a dataset, scored by metrics.')
  run
    .argument('<files...>', 'evaluation files (.ts, .mts, .js, .mjs), or directories with eval.ts or NAME.eval.ts')
    .option('--watch', 'evaluate again whenever a file or a dataset changes')
    .option('--limit <cases>', 'only the first so many cases', wholeNumber(1, limits.runItems))
    .option('--repeat <times>', 'ask every case so often', wholeNumber(1, limits.runRepetitions))
    .option('--concurrency <items>', 'so many at the same time', wholeNumber(1, limits.runConcurrency))
    .option('--timeout <time>', 'of one attempt at one item: 90s, 5m', timeSpan)
    .option('--retries <times>', 'attempts after the first', wholeNumber(0, limits.runRetries))
    .option('--resume [run-id]', 'go on with a run that was interrupted, the newest unless said: only what is missing')
    .option('--min <metric=value>', 'the mean must be at least this; as often as you like', severalBounds)
    .option('--max <metric=value>', 'the mean must be at most this; as often as you like', severalBounds)
    .addOption(new Option('--fail-on <what>', 'no metric may be worse than in the baseline').choices(['regression']))
    .option('--baseline <run-id>', 'the run to compare with; the newest whole one of the same name unless said')
    .option('--allow-failed <items>', 'so many items may fail', wholeNumber(0, limits.runItems), 0)
    .option('--name <name>', 'what the run is called; as the file says unless said')
    .option('--tag <tag>', 'a tag; as often as you like', several)
    .option('--local', 'keep the results in the data directory, whatever server is there')
    .option('--patience <time>', 'at the end, wait so long for a server that went away; 1m unless said', timeSpan)
    .option('--junit <file>', 'write JUnit XML: a test for each item and for each demand')
    .option('--markdown <file>', 'add a summary in Markdown to this file, such as "$GITHUB_STEP_SUMMARY"')
    .option('--html <file>', 'write a report that needs nothing but a browser')
    .option('--json', 'each evaluation as a line of JSON: run, metrics, gate, comparison, verdict')
  examples(run, [
    'llm-eval run eval.ts',
    'llm-eval run eval.ts --limit 20 --watch',
    'llm-eval run eval.ts --min accuracy=0.9 --fail-on regression --junit eval.xml --html eval.html',
    'llm-eval run evals/ --markdown "$GITHUB_STEP_SUMMARY"',
    'llm-eval run eval.ts --resume',
    '',
    'Results go to the server that is named or runs on this machine; where none is, to the data directory, which ' +
      '`llm-eval serve` and `llm-eval runs` read. Exit codes: 0 all was evaluated, and what was asked is so; 1 the gate failed, or ' +
      'items did; 3 it cannot be told: scores or items are missing, or there is nothing to compare with; 2 it could not be ' +
      'evaluated or stored; 130 after Ctrl-C, which keeps what is finished. A second Ctrl-C ends at once.',
  ])
  run.action((files: string[], _options, command: Command) =>
    perform(async () =>
      (await import('./commands/evaluate.ts')).runEvaluations(terminal, files, command.optsWithGlobals()),
    ),
  )
}
