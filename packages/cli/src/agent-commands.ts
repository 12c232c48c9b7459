import { type CheckState, failStates } from '@llm-eval/protocol'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { examples, type Parts } from './command.ts'
import type { TestOptions } from './commands/agent-tests.ts'
import { moment, timeSpan, wholeNumber } from './moments.ts'
import { several } from './run-commands.ts'

/** `llm-eval doctor`, `init`, `test`, `watch`, `snapshot`, `check`, `record` and `quarantine` */
export function addAgents(program: Command, parts: Parts): void {
  addFirstSteps(program, parts)
  addTesting(program, parts)
  addRecord(program, parts)
  addQuarantines(program, parts)
}

function addFirstSteps(program: Command, { terminal, perform }: Parts): void {
  const doctor = program
    .command('doctor')
    .description('Say what an agent exposes, what can be tested, and what to add.')
  doctor
    .argument(
      '[url]',
      'where the agent answers, of ADK adk:http://host:8000/app; as llm-eval.agent.yaml says unless said',
    )
    .option('--agent-config <file>', 'the settings; llm-eval.agent.yaml or .evalview/config.yaml unless said')
    .option('--query <text>', 'what it is asked')
    .option('--timeout <time>', 'how long it may take: 30s, 2m', timeSpan)
    .option('--json', 'as one JSON object')
  examples(doctor, [
    'llm-eval doctor http://localhost:3000/api/chat',
    'llm-eval doctor adk:http://localhost:8000/app_name',
    '',
    'Exit codes: 0 it can be tested; 1 something must be mended first; 2 it is not there.',
  ])
  doctor.action((...[url, , command]: [string | undefined, object, Command]) =>
    perform(async () => (await import('./commands/doctor.ts')).doctor(terminal, url, command.optsWithGlobals())),
  )

  const init = program.command('init').description('Find a running agent, and write its settings and a first case.')
  init
    .option('--agent <url>', 'where the agent answers; the usual ports and paths are looked at unless said')
    .option('--force', 'overwrite files that are there')
  examples(init, ['llm-eval init', 'llm-eval init --agent http://localhost:3000/api/chat'])
  init.action((_options, command: Command) =>
    perform(async () => (await import('./commands/init.ts')).initAgent(terminal, command.optsWithGlobals())),
  )
}

function addTesting(program: Command, { terminal, perform }: Parts): void {
  const load = () => import('./commands/agent-tests.ts')
  const test = withCases(program.command('test').description('Ask an agent test cases, and score what it does.'))
  examples(test, [
    'llm-eval test --agent http://localhost:3000/api/chat',
    'llm-eval test agent-tests/stocks.yaml --repeat 10',
    'llm-eval test trips.evalset.json --agent adk:http://localhost:8000/trips',
    'llm-eval test --tag smoke --watch',
    'llm-eval test --junit agent.xml --html agent.html --markdown "$GITHUB_STEP_SUMMARY"',
    'llm-eval test --schema > llm-eval-cases.schema.json',
    '',
    exitNote,
  ])
  withReports(test)
    .option('--watch', 'test again whenever cases or settings change')
    .option('--schema', 'print the JSON Schema of files of cases, for editors, and ask nothing')
  test.action((paths: string[], _options, command: Command) =>
    perform(async () => (await load()).testAgent(terminal, paths, command.optsWithGlobals())),
  )

  const watch = withReports(
    withCases(program.command('watch').description('Test again whenever cases or settings change: `test --watch`.')),
  )
  examples(watch, [
    'llm-eval watch --agent http://localhost:3000/api/chat',
    'llm-eval watch agent-tests/stocks.yaml --verbose',
    '',
    'Ctrl-C ends it.',
  ])
  // What it starts with every change is the same command line, and then asks once.
  watch.action((paths: string[], _options, command: Command) =>
    perform(async () => {
      const options: TestOptions = command.optsWithGlobals()
      return (await load()).testAgent(terminal, paths, { ...options, watch: terminal.onFile === undefined })
    }),
  )

  const snapshot = withCases(
    program.command('snapshot').description('Accept what an agent does now in the cases that pass, as their baseline.'),
  )
  snapshot
    .option('--variant <name>', 'accept it beside the others, under this name', 'default')
    .option('--note <text>', 'why it is accepted')
    .option('--by <name>', 'who accepts it')
    .option('--preview', 'show what would be accepted, and write nothing')
  withPlace(snapshot)
  examples(snapshot, [
    'llm-eval snapshot',
    'llm-eval snapshot --variant terse --note "Answers in one line are fine."',
    'llm-eval snapshot --baselines server',
    '',
    exitNote,
  ])
  snapshot.action((paths: string[], _options, command: Command) =>
    perform(async () => (await load()).snapshotAgent(terminal, paths, command.optsWithGlobals())),
  )

  const check = withReports(
    withCases(program.command('check').description('Hold an agent against its baselines: may it ship?')),
  )
  check
    .option(
      '--fail-on <states>',
      `states that fail beside REGRESSION, parted by commas: ${failStates.join(', ')}`,
      statesOf,
    )
    .option('--strict', 'fail on every state but PASSED')
  withPlace(check)
  examples(check, [
    'llm-eval check',
    'llm-eval check --fail-on REGRESSION,TOOLS_CHANGED --junit agent.xml --html agent.html',
    'llm-eval check --baselines server --send',
    '',
    `${exitNote} A forbidden tool always blocks. Without --fail-on a regression fails, and other changes are shown.`,
  ])
  check.action((paths: string[], _options, command: Command) =>
    perform(async () => (await load()).checkAgent(terminal, paths, command.optsWithGlobals())),
  )
}

function addRecord(program: Command, { terminal, perform }: Parts): void {
  const record = program
    .command('record')
    .description('Stand between a client and an agent, and write cases of what goes through.')
  record
    .requiredOption('--agent <url>', 'where the agent answers')
    .option('--port <port>', 'where to listen on this machine; 0 is any that is free', wholeNumber(0, 65_535), 8899)
    .option('-o, --out <file>', 'the file of cases to write', 'agent-tests/recorded.yaml')
    .option('--force', 'overwrite the file')
  examples(record, [
    'llm-eval record --agent http://localhost:3000/api/chat',
    'llm-eval record --agent https://agent.example.com/chat --port 9000 --out agent-tests/support.yaml',
    '',
    'Send your client to the address that it prints; Ctrl-C writes the file. Headers are passed on and never written.',
  ])
  record.action((_options, command: Command) =>
    perform(async () => (await import('./commands/record.ts')).recordAgent(terminal, command.optsWithGlobals())),
  )
}

function addQuarantines(program: Command, { terminal, perform }: Parts): void {
  const load = () => import('./commands/quarantine.ts')
  const quarantine = program.command('quarantine').description('Take cases out of the gate for a while, in the open.')
  const add = inSuite(quarantine.command('add').description('Put a case into quarantine, until a day.'))
  add
    .argument('<case>', 'its name or id')
    .option('--owner <name>', 'who sees to it')
    .option('--reason <text>', 'why it does not count')
    .option('--until <time>', 'when it counts again, at most 90 days ahead: 14d, 2026-12-24', moment('ahead'))
  examples(add, [
    'llm-eval quarantine add "Compare" --owner ada --reason "The backend moves" --until 14d',
    'llm-eval quarantine add "Compare" --owner ada --reason "The backend moves" --until 14d --baselines server',
    '',
    'A file counts for `llm-eval check`, a server for `llm-eval check --baselines server`: neither knows of the other.',
  ])
  add.action((...[name, , command]: [string, object, Command]) =>
    perform(async () => (await load()).addQuarantine(terminal, name, command.optsWithGlobals())),
  )
  const list = inSuite(
    quarantine.command('list').description('List cases in quarantine, also those whose time is over.'),
  )
  examples(list, ['llm-eval quarantine list'])
  list.action((_options, command: Command) =>
    perform(async () => (await load()).listQuarantine(terminal, command.optsWithGlobals())),
  )
  const remove = inSuite(quarantine.command('remove').description('Take a case out of quarantine.'))
  remove.argument('<case>', 'its name or id')
  examples(remove, ['llm-eval quarantine remove "Compare"'])
  remove.action((...[name, , command]: [string, object, Command]) =>
    perform(async () => (await load()).removeQuarantine(terminal, name, command.optsWithGlobals())),
  )
}

function inSuite(command: Command): Command {
  return withPlace(command)
    .option('--agent-config <file>', 'the settings; llm-eval.agent.yaml or .evalview/config.yaml unless said')
    .option('--json', 'as JSON')
}

const exitNote =
  'Exit codes: 0 all is well; 1 the gate failed; 2 it could not be told: no agent, no cases, no baseline, no judge where one is needed. Nothing that was not tested is green.'

function withCases(command: Command): Command {
  return command
    .argument('[paths...]', 'files or folders of cases; as llm-eval.agent.yaml says, else agent-tests')
    .option(
      '--agent <url>',
      'where the agent answers, whatever settings and cases say; adk:http://host:8000/app of ADK',
    )
    .option('--agent-config <file>', 'the settings; llm-eval.agent.yaml or .evalview/config.yaml unless said')
    .option('--adk-config <file>', "criteria of ADK's eval files; test_config.json beside them unless said")
    .option('--test <name>', 'only this case; as often as you like', several)
    .option('--tag <tag>', 'only cases with this tag; as often as you like', several)
    .option('--repeat <times>', 'ask every case so often', wholeNumber(1, 1_000))
    .option('--concurrency <cases>', 'so many at the same time; 4 unless said', wholeNumber(1, 1_000))
    .option('--no-judge', 'leave out what only a judge can tell, and weigh the rest anew')
    .option('--no-tools', 'leave out what is expected of tools, for agents that do not show them')
    .option('--verbose', 'show what the agent did in each attempt: turns, calls, notes')
    .option('--json', 'as one JSON object')
}

function withReports(command: Command): Command {
  return command
    .option('--junit <file>', 'write JUnit XML: a test for each case')
    .option('--markdown <file>', 'add a summary in Markdown to this file, such as "$GITHUB_STEP_SUMMARY"')
    .option('--html <file>', 'write a report that needs nothing but a browser')
    .option('--adk-results <folder>', "write the results of ADK's eval sets as ADK does, into this folder")
    .option('--send', 'keep the results as a run of the server; where none is, in the data directory')
    .option('--local', 'with --send: in the data directory, whatever server is there')
}

/** Teams may keep what they accept, and what they quarantine, together on a server. */
function withPlace(command: Command): Command {
  const where = new Option(
    '--baselines <where>',
    'where what is accepted is kept: in files beside the cases, or by the server',
  )
  return command.addOption(where.choices(['files', 'server']).default('files'))
}

function statesOf(text: string): CheckState[] {
  return text.split(',').map((part) => {
    const name = part.trim().toUpperCase()
    const state = failStates.find((one) => one === name)
    if (!state)
      throw new InvalidArgumentError(`${part.trim()} is no state that can fail. There are ${failStates.join(', ')}.`)
    return state
  })
}
