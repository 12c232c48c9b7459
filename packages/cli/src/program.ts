import { Command, InvalidArgumentError, Option } from 'commander'
import { rejectReasons } from '@llm-eval/protocol'
import { addAgents } from './agent-commands.ts'
import { addDatasets, addEvaluators } from './evaluation-commands.ts'
import { withFilters, statusOption } from './filter.ts'
import { examples, type Parts, withSettings } from './command.ts'
import { addConversations } from './conversation-commands.ts'
import { addRun } from './run-command.ts'
import { addCompare, addRuns } from './run-commands.ts'
import { moment, wholeNumber } from './moments.ts'
import { ownVersion } from './version.ts'

/** The whole command line. Each command loads its code when it runs, so that help and small commands answer at once. */
export function createProgram(parts: Parts): Command {
  const { out, err } = parts.terminal
  const program = new Command('llm-eval')
    .description('Real-time evaluation for LLM applications and agents.')
    .version(ownVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => out.line(text.trimEnd()),
      writeErr: (text) => err.line(text.trimEnd()),
      getOutHelpWidth: () => Math.min(out.columns, 110),
      getErrHelpWidth: () => Math.min(err.columns, 110),
    })
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 20 })
    .showHelpAfterError('(--help shows what is possible)')
    .option(
      '--url <url>',
      'the server to speak to (LLM_EVAL_URL; else the one of the data directory, else http://localhost:8000)',
    )
    .option('--key <key>', 'an API key (LLM_EVAL_API_KEY)')
    .option('--data <dir>', 'the data directory (LLM_EVAL_DATA; .llm-eval)')
    .option('--config <file>', 'a configuration file (llm-eval.config.ts or .json in this directory)')
    .option('--debug', 'show where unexpected errors come from (LLM_EVAL_DEBUG=1)')
  examples(program, [
    'llm-eval serve               # the server and its dashboard, on port 8000',
    'llm-eval send traces.jsonl   # traces from a file',
    'llm-eval tail                # what happens, as it happens',
    'llm-eval run eval.ts         # a task over a dataset',
    'llm-eval keys create ops --scopes admin',
    'llm-eval export --from 24h -o day.jsonl',
    '',
    'Exit codes: 0 done; 1 what was asked for failed, wholly or in part; 2 it could not be tried; 130 Ctrl-C',
  ])
  addServing(program, parts)
  addSending(program, parts)
  addReading(program, parts)
  addTraces(program, parts)
  addDatasets(program, parts)
  addEvaluators(program, parts)
  addRun(program, parts)
  addRuns(program, parts)
  addCompare(program, parts)
  addAgents(program, parts)
  addConversations(program, parts)
  addKeys(program, parts)
  return program
}

function addServing(program: Command, { terminal, perform }: Parts): void {
  const serve = withSettings(program.command('serve').description('Start the server with its dashboard.'))
  examples(serve, [
    'llm-eval serve',
    'llm-eval serve --port 9000 --data ./traces',
    'llm-eval serve --host 0.0.0.0         # makes an admin key and a sign-in link if there is no key',
    'llm-eval serve --database-url postgresql://user@host/db',
    '',
    'SIGTERM and Ctrl-C drain: what was accepted is stored, then it ends with 0. A second one ends it at once.',
  ])
  serve.action((_options, command: Command) =>
    perform(async () => (await import('./commands/serve.ts')).serve(terminal, command.optsWithGlobals())),
  )

  const config = withSettings(
    program.command('config').description('Show every setting and where it was said; secrets are masked.'),
  )
  config.option('--json', 'as one JSON object')
  examples(config, ['llm-eval config', 'PORT=9000 llm-eval config --json'])
  config.action((_options, command: Command) =>
    perform(async () => (await import('./commands/config.ts')).config(terminal, command.optsWithGlobals())),
  )

  const status = program.command('status').description('Show whether the server answers, and how it stands.')
  status.option('--json', 'as one JSON object')
  examples(status, ['llm-eval status', 'llm-eval status --url https://eval.example.com --key "$KEY" --json'])
  status.action((_options, command: Command) =>
    perform(async () => (await import('./commands/status.ts')).status(terminal, command.optsWithGlobals())),
  )

  const backup = program
    .command('backup')
    .description('Copy the embedded database into a file, while the server runs or not.')
  backup.argument('<file>', 'the file to write; it must not exist yet')
  examples(backup, [
    'llm-eval backup backup.db',
    'llm-eval backup --data /var/lib/llm-eval "backup-$(date +%F).db"',
    '',
    'To restore: stop the server, put the file as llm-eval.db into an empty directory, start with --data on that.',
  ])
  backup.action((file: string, _options, command: Command) =>
    perform(async () => (await import('./commands/backup.ts')).backup(terminal, file, command.optsWithGlobals())),
  )
}

function addSending(program: Command, { terminal, perform }: Parts): void {
  const send = program
    .command('send')
    .description('Send traces from a file: JSON Lines, an array, or one trace. Any size.')
  send
    .argument('<file>', 'the file, or - for standard input')
    .option('--source <name>', 'where the traces come from', 'cli')
    .option('--batch-size <traces>', 'traces of one request', wholeNumber(1, 100), 100)
    .option('--concurrency <requests>', 'requests at the same time', wholeNumber(1, 64), 4)
    .option('--retries <times>', 'how often a request is tried again', wholeNumber(0, 100), 8)
    .option('--resume', 'keep the place in FILE.llm-eval-resume, and go on there')
    .option('--errors <file>', 'write every refused line to this file, as JSON Lines')
    .option('--json', 'the summary as one JSON object')
  examples(send, [
    'llm-eval send trace.json',
    'llm-eval send traces.jsonl --resume --errors refused.jsonl',
    'gunzip -c traces.jsonl.gz | llm-eval send - --source import',
    '',
    'Every trace needs a trace_id; what was sent before counts as duplicate. Exit code 1: some were refused.',
  ])
  send.action((file: string, _options, command: Command) =>
    perform(async () => (await import('./commands/send.ts')).send(terminal, file, command.optsWithGlobals())),
  )
}

function addReading(program: Command, { terminal, perform }: Parts): void {
  const tail = program.command('tail').description('Show traces and verdicts as they happen.')
  tail
    .option('--model <name>', 'only traces of this model')
    .addOption(statusOption())
    .option('-n, --limit <traces>', 'begin with so many of the newest traces', wholeNumber(0, 100), 10)
    .option('--since <cursor>', 'go on after this cursor instead; Ctrl-C prints one')
    .option('--json', 'each frame as a line of JSON, with its cursor')
  examples(tail, [
    'llm-eval tail',
    'llm-eval tail --model gpt-4 --status rejected',
    'llm-eval tail --json --limit 0 | jq .data.trace_id',
  ])
  tail.action((_options, command: Command) =>
    perform(async () => (await import('./commands/tail.ts')).tail(terminal, command.optsWithGlobals())),
  )

  const exporting = withFilters(
    program.command('export').description('Write all matching traces to a file, newest first.'),
  )
  exporting
    .addOption(new Option('--format <format>', 'what to write').choices(['jsonl', 'csv']).default('jsonl'))
    .option('-o, --output <file>', 'the file; standard output unless said')
    .option('--force', 'overwrite the file')
  examples(exporting, [
    'llm-eval export -o traces.jsonl',
    'llm-eval export --format csv --status rejected --from 7d -o rejected.csv',
    'llm-eval export --search "refund polic*" | jq .user_query',
  ])
  exporting.action((_options, command: Command) =>
    perform(async () => (await import('./commands/export.ts')).exportTraces(terminal, command.optsWithGlobals())),
  )
}

function addTraces(program: Command, { terminal, perform }: Parts): void {
  const traces = program.command('traces').description('List traces, or show one.')
  const load = () => import('./commands/traces.ts')
  const list = withFilters(traces.command('list').description('List traces, newest first.'))
  list
    .option('-n, --limit <traces>', 'so many', wholeNumber(1, 200), 20)
    .option('--cursor <cursor>', 'go on where the last page ended')
    .option('--json', 'each trace as a line of JSON')
  examples(list, [
    'llm-eval traces list --model gpt-4 --min-latency 2000',
    'llm-eval traces list --search refund --json',
  ])
  list.action((_options, command: Command) =>
    perform(async () => (await load()).listTraces(terminal, command.optsWithGlobals())),
  )

  const show = traces.command('show').description('Show one whole trace.').argument('<trace-id>', 'its id')
  show.option('--json', 'as JSON')
  examples(show, ['llm-eval traces show unique_trace_id', 'llm-eval traces show unique_trace_id --json | jq .metadata'])
  show.action((id: string, _options, command: Command) =>
    perform(async () => (await load()).showTrace(terminal, id, command.optsWithGlobals())),
  )

  const review = program.command('review').description("Record a person's verdict on a trace.")
  review
    .argument('<trace-id>', 'its id')
    .argument(
      '<verdict>',
      'accept, reject, claim (take into review) or reset',
      oneOf(['accept', 'reject', 'claim', 'reset']),
    )
    .option('--reason <reason>', `why it is rejected: ${Object.keys(rejectReasons).join(', ')}`)
    .option('--note <text>', 'a remark')
    .option('--reviewer <name>', "who decided; the key's name unless said")
    .option('--json', 'the trace as it is then')
  examples(review, [
    'llm-eval review unique_trace_id accept',
    'llm-eval review unique_trace_id reject --reason hallucinated --note "There is no such article."',
  ])
  review.action((...[id, verdict, , command]: [string, string, object, Command]) =>
    perform(async () => (await load()).review(terminal, { id, verdict }, command.optsWithGlobals())),
  )

  const remove = program.command('delete').description('Delete a trace for good.').argument('<trace-id>', 'its id')
  remove.option('--yes', 'do not ask')
  examples(remove, ['llm-eval delete unique_trace_id', 'llm-eval delete unique_trace_id --yes'])
  remove.action((id: string, _options, command: Command) =>
    perform(async () => (await load()).deleteTrace(terminal, id, command.optsWithGlobals())),
  )
}

function addKeys(program: Command, { terminal, perform }: Parts): void {
  const keys = program.command('keys').description('Make, list and revoke API keys.')
  const load = () => import('./commands/keys.ts')
  const create = keys
    .command('create')
    .description('Make a key. It is shown once.')
    .argument('<name>', 'who or what it is for')
  create
    .option('--scopes <scopes>', 'what it may do, parted by commas: ingest, read, write, admin', listed, ['ingest'])
    .option('--expires <time>', 'when it ends: 30d, 2026-01-31', moment('ahead'))
    .option('--project <name>', 'the project it belongs to')
    .option('-q, --quiet', 'print the key alone')
    .option('--json', 'as JSON')
  examples(create, [
    'llm-eval keys create ops --scopes admin          # the first one, also before any server runs',
    'llm-eval keys create ci --scopes ingest,read --expires 30d',
    'export LLM_EVAL_API_KEY="$(llm-eval keys create app --quiet)"',
  ])
  create.action((name: string, _options, command: Command) =>
    perform(async () => (await load()).createKey(terminal, name, command.optsWithGlobals())),
  )

  const list = keys.command('list').description('List the keys.')
  list.option('--all', 'also those that were revoked').option('--json', 'as JSON')
  examples(list, ['llm-eval keys list', 'llm-eval keys list --all --json'])
  list.action((_options, command: Command) =>
    perform(async () => (await load()).listKeys(terminal, command.optsWithGlobals())),
  )

  const revoke = keys
    .command('revoke')
    .description('Revoke a key.')
    .argument('<key-id>', 'its id, as `keys list` shows it')
  examples(revoke, ['llm-eval keys revoke key_Xb3pQ9w1Lm0a'])
  revoke.action((id: string, _options, command: Command) =>
    perform(async () => (await load()).revokeKey(terminal, id, command.optsWithGlobals())),
  )
}

function listed(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim())
  return parts.filter((part) => part !== '')
}

function oneOf(choices: string[]): (text: string) => string {
  return (text) => {
    if (choices.includes(text)) return text
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`)
  }
}
