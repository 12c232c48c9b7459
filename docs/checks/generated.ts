// The reference pages that are made from the tables of the code, so that they say what the code does.
import { Writable } from 'node:stream'
import { caseFileSchema } from '@llm-eval/formats'
import { failureTable, limits } from '@llm-eval/protocol'
import { createProgram } from '../../packages/cli/src/program.ts'
import { Screen } from '../../packages/cli/src/terminal.ts'
import { configSchema } from '../../packages/server/src/config/config.ts'
import { settings } from '../../packages/server/src/config/names.ts'
import { agentTestsText } from './agent-tests-page.ts'
import { evaluatorsText } from './evaluators-page.ts'
import { text } from './markdown.ts'
import { routesText } from './routes-page.ts'
import { settingWords } from './settings-words.ts'

const note = (source: string) =>
  `<!-- Made from ${source} by \`node --conditions=llm-eval-source docs/checks/write.ts\`. Change it there. -->`

/** The pages by their path from the repository. */
export async function generatedPages(): Promise<Record<string, string>> {
  return {
    'docs/reference/errors.md': errorsPage(),
    'docs/reference/limits.md': limitsPage(),
    'docs/reference/configuration.md': configurationPage(),
    'docs/reference/cli.md': await cliPage(),
    'docs/reference/api-evaluation.md': `${note('the route tables and schemas of packages/protocol')}\n${await routesText()}`,
    'docs/reference/agent-tests.md': `${note('the schemas of packages/formats')}\n${agentTestsText()}`,
    'docs/reference/agent-cases.schema.json': `${JSON.stringify(caseFileSchema(), null, 2)}\n`,
    'docs/reference/evaluators.md': `${note('the catalogue of packages/engine')}\n${evaluatorsText()}`,
  }
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

function errorsPage(): string {
  const rows = Object.entries(failureTable).map(([code, { status, says, next }]) => [
    `\`${code}\``,
    String(status),
    says,
    next,
  ])
  return `${note('packages/protocol/src/failures.ts')}
# Errors

Every error answer is a row of this table; \`{places}\` are filled in. What nobody foresaw is \`internal\`: the caller gets its
request id, the operator finds the rest in the log under it. 401 carries \`WWW-Authenticate\`, 429 and 503 carry \`Retry-After\`,
405 carries \`Allow\`, and every answer carries \`X-Request-Id\`: yours, if you sent one of 1 to 64 letters, digits and \`._:-\`.

Under \`/api/v1\` and \`/stream\` the body is problem details (RFC 9457, \`application/problem+json\`):

\`\`\`json
{
  "type": "urn:llm-eval:error:invalid_query",
  "title": "invalid query",
  "status": 400,
  "code": "invalid_query",
  "detail": "A query parameter is not usable.",
  "next": "Mend the parameters listed in \`errors\`.",
  "request_id": "1f0c6f0e-7e0d-4c55-9d3f-5a3f4c7b2f10",
  "errors": [{ "path": "limit", "message": "must lie between 1 and 200" }]
}
\`\`\`

\`version_conflict\` and \`already_claimed\` also carry how the review stands: \`version\`, \`evaluation_status\`, \`reviewer\`.

Under \`/webhook\` the body is that of the interface:

\`\`\`json
{
  "success": false,
  "message": "The request does not fit the schema.",
  "processed_count": null,
  "errors": ["model_name: is required"],
  "trace_ids": [],
  "code": "invalid_request",
  "next": "Mend the fields listed in \`errors\` and send it again.",
  "request_id": "1f0c6f0e-7e0d-4c55-9d3f-5a3f4c7b2f10"
}
\`\`\`

Send again after 429 and 503, and after 502 and 504 of a proxy, not sooner than \`Retry-After\` says; nothing was stored. The other
answers come back the same until something is changed. Bytes that are not HTTP are answered 400, 408 or 431, and the
connection is closed.

${table(['code', 'status', 'what it says', 'what to do'], rows)}
`
}

/** The sentence above each limit in its source. */
function limitWords(): Map<string, string> {
  const words = new Map<string, string>()
  let last = ''
  for (const [, comment, name] of text('packages/protocol/src/limits.ts').matchAll(/\/\*\* (.+) \*\/|^ {2}(\w+):/gm)) {
    if (comment !== undefined) last = comment
    else if (name !== undefined) words.set(name, last)
  }
  return words
}

function limitsPage(): string {
  const words = limitWords()
  const rows = Object.entries(limits).map(([name, value]) => [
    `\`${name}\``,
    amount(name, value),
    words.get(name) ?? '',
  ])
  return `${note('packages/protocol/src/limits.ts')}
# Limits

Everything that grows has a cap. What is one past a cap is refused with an [error](errors.md), and never stored in part; only
previews are cut, and words of a search beyond the last are passed over. Rates per minute are [settings](configuration.md).

${table(['limit', 'value', 'of what'], rows)}
`
}

function amount(name: string, value: number): string {
  const shown = value.toLocaleString('en-US')
  return name.endsWith('Bytes') && value >= 1024 && value % 1024 === 0
    ? `${shown} (${value % 1_048_576 === 0 ? `${value / 1_048_576} MiB` : `${value / 1024} KiB`})`
    : shown
}

function configurationPage(): string {
  const flags = flagsOfServe()
  const defaults: unknown = configSchema.parse({})
  const rows = settings.map(({ name, variables }) => {
    const flag = flags.get(name)
    return [
      `\`${name}\``,
      flag === undefined ? '' : `\`${flag}\``,
      variables.map((variable) => `\`${variable}\``).join(', '),
      `\`${JSON.stringify(at(defaults, name))}\``,
      settingWords[name] ?? '',
    ]
  })
  return `${note('packages/server/src/config')}
# Configuration

A flag wins over the environment, the environment over the file, the file over the default. The file is
\`llm-eval.config.json\`, or \`llm-eval.config.ts\` with a default export, in the directory where the server is started, or what
\`--config\` names; it holds one object with the names of the first column (those with a dot are nested). A relative \`data\` in a
file lies beside that file. Of two variables the first one wins; an empty one counts as not set. An unknown name is an error, with
a suggestion. \`llm-eval config\` shows every value and where it was said, secrets masked.

\`\`\`json
{
  "host": "0.0.0.0",
  "public_url": "https://eval.example.com",
  "trusted_proxies": ["10.0.0.0/8"],
  "retention_days": 90,
  "rate_limits": { "traces_per_minute": 120000 }
}
\`\`\`

${table(['setting', 'flag', 'environment', 'default', 'what it does'], rows)}

\`PORT\`, \`HOST\`, \`DATABASE_URL\` and \`WEBHOOK_SECRET\` are the short names; with the prefix they win. Settings are read at the start;
change them, then restart.

The command line as a client has its own: \`LLM_EVAL_URL\` names the server, \`LLM_EVAL_API_KEY\` the key, and \`LLM_EVAL_DEBUG=1\` shows where
unexpected errors come from. \`NO_COLOR\` takes the colours away.
`
}

function at(value: unknown, name: string): unknown {
  return name.split('.').reduce<unknown>((inner, part) => (inner as Record<string, unknown> | undefined)?.[part], value)
}

/** The flags of \`serve\` by the setting that they are spelled like. */
function flagsOfServe(): Map<string, string> {
  const program = programFor(() => undefined)
  const serve = program.commands.find((command) => command.name() === 'serve')
  const options = [...(serve?.options ?? []), ...program.options]
  return new Map(options.map(({ long }) => [(long ?? '').slice(2).replaceAll('-', '_'), long ?? '']))
}

/** The command line, writing to somebody who listens. */
function programFor(write: (line: string) => void) {
  const screen = () =>
    new Screen(
      Object.assign(
        new Writable({
          write(chunk: Buffer, _encoding, done) {
            write(chunk.toString())
            done()
          },
        }),
        { columns: 100 },
      ),
      {},
    )
  const terminal = {
    stdin: { async *[Symbol.asyncIterator]() {} },
    out: screen(),
    err: screen(),
    env: {},
    cwd: '',
    signal: new AbortController().signal,
    args: [],
    atEnd: () => undefined,
  }
  return createProgram({ terminal, perform: async () => undefined })
}

/** Every command there is, `keys create` and the like included. */
function commandNames(): string[][] {
  return programFor(() => undefined).commands.flatMap((command) => {
    const names = command.commands.map((inner) => [command.name(), inner.name()])
    return names.length > 0 ? names : [[command.name()]]
  })
}

async function helpOf(names: string[]): Promise<string> {
  const lines: string[] = []
  const program = programFor((line) => lines.push(line))
  // Commander ends the program after help by an error of its own.
  await program.parseAsync([...names, '--help'], { from: 'user' }).catch(() => undefined)
  return lines.join('').trimEnd()
}

/** The help without the options that every command has. */
async function commandHelp(names: string[]): Promise<string> {
  return (await helpOf(names)).replace(/\nGlobal Options:\n[^]*?(?=\n\n|$)/, '').replaceAll('\n\n\n', '\n\n')
}

async function cliPage(): Promise<string> {
  const sections = await Promise.all(
    commandNames().map(
      async (names) => `## llm-eval ${names.join(' ')}\n\n\`\`\`text\n${await commandHelp(names)}\n\`\`\`\n`,
    ),
  )
  return `${note('packages/cli/src/program.ts')}
# Command line

What \`--help\` says, command by command. The options of the first section hold for all of them. \`keys\` and \`backup\` open the data
directory themselves where no server runs; all other commands speak to a server.

\`\`\`text
${await helpOf([])}
\`\`\`

${sections.join('\n')}`
}
