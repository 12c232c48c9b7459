import { conversationFormats, conversationStates, limits } from '@llm-eval/protocol'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { examples, type Parts, withSettings } from './command.ts'
import type { ReplayGate } from './conversations/said.ts'
import { timeSpan, wholeNumber } from './moments.ts'

/** `llm-eval bridge`, `conversations`, `replay` and `import-logs` */
export function addConversations(program: Command, parts: Parts): void {
  const conversations = program
    .command('conversations')
    .description('List recorded conversations, show, export or delete them.')
  addBridge(program, parts)
  addReading(conversations, parts)
  addFiles(conversations, parts)
  addReplay(program, parts)
  addImportLogs(program, parts)
}

function addBridge(program: Command, { terminal, perform }: Parts): void {
  const bridge = withSettings(
    program
      .command('bridge')
      .description('Start a server between a front end of AG-UI and an agent: what both say is recorded.'),
  )
  bridge
    .requiredOption(
      '--target <url>',
      'an ADK api_server, an Agent Engine (its resource name will do), or an AG-UI agent',
    )
    .option('--app <name>', 'the app of an api_server that has several')
    .option('--user <id>', 'whose sessions they are')
    .option('--name <name>', 'what the agent is called in the address and the recordings', 'agent')
    .option('--agent-engine', "the target is Google's Agent Engine")
    .option('--agui', 'the target speaks AG-UI itself')
    .option('--token-env <name>', 'environment variable with a bearer token for the target')
    .option('--gcloud', 'the token is what `gcloud auth print-access-token` prints')
    .option('--log-dir <directory>', 'write events_*.log and agent_engine_raw_*.log there too')
  examples(bridge, [
    'llm-eval bridge --target http://localhost:8000 --app trips --port 9000',
    'llm-eval bridge --agent-engine --gcloud --target projects/my-project/locations/us-central1/reasoningEngines/123',
    'llm-eval bridge --agui --target http://localhost:8001/agent --log-dir logs',
    '',
    'Several agents at once: `targets` in the configuration of `llm-eval serve`.',
  ])
  bridge.action((_options, command: Command) =>
    perform(async () => (await import('./commands/bridge.ts')).bridge(terminal, command.optsWithGlobals())),
  )
}

function addReading(conversations: Command, { terminal, perform }: Parts): void {
  const load = () => import('./commands/conversations.ts')
  const list = conversations
    .command('list')
    .description('List conversations, the last one that something happened in first.')
  list
    .option('--target <name>', 'only with this target of the bridge')
    .option('--user <name>', 'only of this user')
    .option('--app <name>', 'only with this app')
    .addOption(new Option('--state <state>', 'only those that stand so').choices(conversationStates))
    .option('--search <words>', 'that stand in the title')
    .option('-n, --limit <conversations>', 'so many', wholeNumber(1, limits.pageRows), 20)
    .option('--cursor <cursor>', 'go on where the last page ended')
    .option('--json', 'each conversation as a line of JSON')
  examples(list, [
    'llm-eval conversations list',
    'llm-eval conversations list --state failed --json | jq -r .thread_id',
  ])
  list.action((_options, command: Command) =>
    perform(async () => (await load()).listConversations(terminal, command.optsWithGlobals())),
  )
  const show = conversations.command('show').description('Show a conversation with its turns.')
  show
    .argument('<thread>', 'its id')
    .option('--turns <turns>', 'so many of the newest', wholeNumber(1, limits.pageRows), 50)
    .option('--json', 'as JSON')
  examples(show, [
    'llm-eval conversations show thread_id',
    'llm-eval conversations show thread_id --json | jq .session_stats',
  ])
  show.action((thread: string, _options, command: Command) =>
    perform(async () => (await load()).showConversation(terminal, thread, command.optsWithGlobals())),
  )
}

function addFiles(conversations: Command, { terminal, perform }: Parts): void {
  const load = () => import('./commands/conversations.ts')
  const exporting = conversations
    .command('export')
    .description('Write a conversation as an eval file of ADK, several as one eval set.')
  exporting
    .argument('<threads...>', 'their ids')
    .addOption(formatOption())
    .option('--name <id>', 'what the eval set is called: letters, digits and _')
    .option('-o, --output <file>', 'the file to write; standard output unless said')
    .option('--force', 'overwrite the file')
  examples(exporting, [
    'llm-eval conversations export thread_id -o trip.evalset.json && adk eval my_agent trip.evalset.json',
    'llm-eval conversations export thread_1 thread_2 --name trips -o trips.evalset.json',
  ])
  exporting.action((threads: string[], _options, command: Command) =>
    perform(async () => (await load()).exportConversations(terminal, threads, command.optsWithGlobals())),
  )
  const remove = conversations.command('delete').description('Delete conversations with all that was recorded of them.')
  remove.argument('<threads...>', 'their ids').option('--yes', 'do not ask')
  examples(remove, ['llm-eval conversations delete thread_id'])
  remove.action((threads: string[], _options, command: Command) =>
    perform(async () => (await load()).deleteConversations(terminal, threads, command.optsWithGlobals())),
  )
}

function addReplay(program: Command, { terminal, perform }: Parts): void {
  const replay = program
    .command('replay')
    .description('Say what the user of a conversation said again, and hold what comes of it against the recording.')
  replay
    .argument('<thread>', 'the conversation')
    .option('--agent <url>', 'who is asked, from here; adk:http://host:8000/app of ADK')
    .option('--agent-config <file>', 'how it is asked; llm-eval.agent.yaml unless said')
    .option('--target <name>', 'who is asked, by the server: a target of its bridge')
    .option('--min <measure=score>', 'what a measure must reach; as often as you like', gates)
    .option('--timeout <time>', 'how long nothing may happen on the server: 30s, 2m', timeSpan, 150_000)
    .option('--json', 'as one JSON object')
  examples(replay, [
    'llm-eval replay thread_id --target trips --min tool_trajectory_avg_score=1',
    'llm-eval replay thread_id --agent adk:http://localhost:8000/trips --min response_match_score=0.8',
    '',
    'Exit codes: 0 every turn was answered, and every measure reaches what it must; 1 one does not; 2 it could not be told: a turn cannot be said again, or was not answered.',
  ])
  replay.action((thread: string, _options, command: Command) =>
    perform(async () => (await import('./commands/replay.ts')).replay(terminal, thread, command.optsWithGlobals())),
  )
}

function addImportLogs(program: Command, { terminal, perform }: Parts): void {
  const importing = program
    .command('import-logs')
    .description('Put conversations together from the logs of a bridge and of an agent engine.')
  importing
    .option('--bridge <files...>', 'logs of AG-UI events and requests; may hold *')
    .option('--engine <files...>', 'raw logs of the agent engine; may hold *')
    .option('--thread <id>', 'only this conversation')
    .option('--out <file>', 'write them to this file, - is standard output; without it the server gets them')
    .option('--force', 'overwrite the file')
    .addOption(formatOption())
    .option('--app <name>', 'the app, where the logs do not say')
    .option('--user <name>', 'the user, where the logs do not say')
    .option('--utc-offset <offset>', 'of times in the logs that do not say theirs: +02:00', utcOffset)
    .option('--json', 'what was found as one JSON object')
  examples(importing, [
    'llm-eval import-logs --bridge "logs/events_*.log" --engine "logs/agent_engine_raw_*.log"',
    'llm-eval import-logs --engine raw.log --thread thread_id --out trip.evalset.json',
  ])
  importing.action((_options, command: Command) =>
    perform(async () => (await import('./commands/import-logs.ts')).importLogs(terminal, command.optsWithGlobals())),
  )
}

function formatOption(): Option {
  return new Option('-f, --format <format>', 'what is written').choices(conversationFormats).default('evalset')
}

function gates(text: string, before: ReplayGate[] = []): ReplayGate[] {
  const [measure = '', least = ''] = text.split('=').map((part) => part.trim())
  const score = least === '' ? Number.NaN : Number(least)
  const known = measures.find((one) => one === measure)
  if (known && score >= 0 && score <= 1) return [...before, { measure: known, least: score }]
  throw new InvalidArgumentError(`Write one of ${measures.join(', ')}, and a score of 0 to 1: ${measures[0]}=1.`)
}
const measures = ['tool_trajectory_avg_score', 'response_match_score', 'tool_parameter_match'] as const

function utcOffset(text: string): number {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(text) ?? []
  if (hours === undefined) throw new InvalidArgumentError('Write it as +02:00 or -0730.')
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}
