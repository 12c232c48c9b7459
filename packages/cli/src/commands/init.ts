import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import type { Examination } from '@llm-eval/agents'
import { examineAgent } from '../agents/ask-agent.ts'
import { agentOf, askOptions } from '../agents/tools.ts'
import { settingsFiles } from '../agents/suite.ts'
import { Complaint, exitCodes, systemCode } from '../complaint.ts'
import { oneLine } from '../display/width.ts'
import type { GlobalOptions } from '../target.ts'
import type { Stage, Terminal } from '../terminal.ts'

/** Options of `llm-eval init`. */
export interface InitOptions extends GlobalOptions {
  agent?: string
  force?: boolean
}

/** Where agents listen that nobody configured otherwise, and under which paths they answer. */
const usualPorts = [3000, 8000, 8080, 8090, 3001, 5000, 5001, 8888, 8081, 4000]
const usualPaths = ['/api/chat', '/chat', '/invoke', '/execute', '/api/agent', '/run', '/']

/** Milliseconds for one of these to answer while it is looked for, and for the agent that was found. */
const lookMs = 3_000
const askMs = 60_000

/** `llm-eval init`: finds a running agent, and writes settings and a first case. */
export async function initAgent(terminal: Stage, options: InitOptions): Promise<number> {
  const found = options.agent === undefined ? await findAgent(terminal) : await asked(terminal, options.agent, askMs)
  if (!found)
    throw new Complaint(
      `No agent answers on ${usualPorts.map((port) => `:${port}`).join(', ')}. Start yours, or say where it is: llm-eval init --agent http://localhost:3000/api/chat`,
    )
  const { url, examination } = found
  if (!isHeard(examination))
    throw new Complaint(
      `${oneLine(url)}: ${examination.trace.fault?.message ?? 'it does not answer'} \`llm-eval doctor ${oneLine(url)}\` says more.`,
    )
  const files = {
    [settingsFiles[0] ?? 'llm-eval.agent.yaml']: settingsText(url, examination),
    'agent-tests/first.yaml': caseText(examination),
  }
  for (const [name, text] of Object.entries(files)) await write(terminal, { name, text, force: options.force === true })
  terminal.out.line(`${oneLine(url)} answers at level ${examination.trace.level}.`)
  for (const name of Object.keys(files))
    terminal.out.line(`  wrote ${relative(terminal.cwd, resolve(terminal.cwd, name))}`)
  terminal.out.line('Next: llm-eval test')
  return exitCodes.ok
}

/** One of ADK has no dialect: what it says is read as ADK's events. */
function isHeard({ trace }: Examination): boolean {
  return trace.dialect !== null || trace.fault === null
}

interface FoundAgent {
  url: string
  examination: Examination
}

async function findAgent(terminal: Terminal): Promise<FoundAgent | null> {
  for (const port of usualPorts) {
    for (const path of usualPaths) {
      terminal.err.status(`Looking at http://localhost:${port}${path} …`)
      const found = await asked(terminal, `http://localhost:${port}${path}`, lookMs)
      // Where nothing listens, no other path answers either.
      if (found.examination.trace.fault?.code === 'refused') break
      if (!isHeard(found.examination)) continue
      terminal.err.status('')
      return found
    }
  }
  terminal.err.status('')
  return null
}

async function asked(terminal: Terminal, url: string, timeoutMs: number): Promise<FoundAgent> {
  const agent = { ...agentOf({}, null, url), retries: 0, timeoutMs }
  const given = await askOptions(terminal, {})
  return { url, examination: await examineAgent(agent, { ...given, signal: terminal.signal }) }
}

function settingsText(url: string, { shape, trace }: Examination): string {
  const request = shape === null || shape === 'seed' ? '' : `\n  request: ${shape}`
  const model = trace.model === null ? '\n  # model: gpt-4o   # for the price of its tokens, where it does not say' : ''
  return `# How \`llm-eval test\` asks the agent. \${NAME} is an environment variable.
agent:
  url: ${JSON.stringify(url)}${request}${model}
  timeout: 120 # seconds
  # headers: {Authorization: "Bearer \${AGENT_KEY}"}
# judge: {model: openai/gpt-4.1-mini}   # needs OPENAI_API_KEY; without a judge all else is tested
# gate: {fail_on: [REGRESSION, TOOLS_CHANGED]}
`
}

function caseText({ trace }: Examination): string {
  const tools = [...new Set(trace.tool_calls.map(({ name }) => name))]
  return `# Test cases: what the agent is asked, and what is expected of it.
cases:
  - name: Says what it can do
    query: Hello! What can you do?
    expected:
      ${tools.length === 0 ? '# tools: [search]' : `tools: ${JSON.stringify(tools)}`}
      # forbidden_tools: [delete_all]
      output:
        not_contains: ["I don't know"]
        # contains: [AAPL]
        # json_schema: {type: object}
    # rubric: Names at least two things that it can do.   # judged by a model
    thresholds:
      max_latency: 30000 # ms
      # max_cost: 0.05   # US dollars
`
}

async function write(
  terminal: Terminal,
  { name, text, force }: { name: string; text: string; force: boolean },
): Promise<void> {
  const path = resolve(terminal.cwd, name)
  await mkdir(dirname(path), { recursive: true })
  try {
    await writeFile(path, text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw new Complaint(`${name} is there already. --force writes it anew.`)
    throw error
  }
}
