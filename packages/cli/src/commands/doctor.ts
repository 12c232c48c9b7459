import type { Examination, Finding } from '@llm-eval/agents'
import { examineAgent, isAdkAddress } from '../agents/ask-agent.ts'
import { agentOf, askOptions } from '../agents/tools.ts'
import { hiding, secretsOf, shownAddress } from '../agents/secrets.ts'
import { readAgentSettings } from '../agents/suite.ts'
import { Complaint, exitCodes } from '../complaint.ts'
import { oneLine, safeJson, wrap } from '../display/width.ts'
import type { GlobalOptions } from '../target.ts'
import type { Stage, Terminal } from '../terminal.ts'

/** Options of `llm-eval doctor`. */
export interface DoctorOptions extends GlobalOptions {
  agentConfig?: string
  query?: string
  timeout?: number
  json?: boolean
}

/** `llm-eval doctor`: says what an agent exposes, and what to add. 0 when it can be tested, 1 when not, 2 when it is not there. */
export async function doctor(terminal: Stage, url: string | undefined, options: DoctorOptions): Promise<number> {
  if (url !== undefined && !URL.canParse(url))
    throw new Complaint(`${oneLine(url)} is no URL. Say where the agent answers: http://localhost:3000/api/chat`)
  const { settings, secrets } = await readAgentSettings(terminal, options.agentConfig)
  try {
    const agent = agentOf(settings, null, url)
    // What somebody typed may be shown to them; what stands in a file may hold keys.
    const shown = oneLine(url ?? shownAddress(agent.url))
    terminal.err.status(`Asking ${shown} …`)
    const found = await examineAgent(
      { ...agent, retries: 0, timeoutMs: options.timeout ?? agent.timeoutMs },
      { ...(await askOptions(terminal, settings)), signal: terminal.signal, query: options.query },
    )
    terminal.err.status('')
    const examination = hiding([...secrets, ...secretsOf({ url })])(found)
    if (options.json) terminal.out.line(safeJson(JSON.stringify(examination)))
    else show(terminal, { shown, isTyped: url !== undefined }, examination)
    return exitCodeOf(examination)
  } finally {
    terminal.err.status('')
  }
}

function exitCodeOf({ trace, findings }: Examination): number {
  const isAnswering = trace.dialect !== null || trace.fault?.status !== undefined
  const isThere = isAnswering || findings.some(({ severity }) => severity === 'well')
  if (!isThere) return exitCodes.impossible
  return findings.some(({ severity }) => severity === 'problem') ? exitCodes.failed : exitCodes.ok
}

const marks = { well: '✓', advice: '+', problem: '✗' }
const colours = { well: 'green', advice: 'yellow', problem: 'red' } as const

interface Address {
  shown: string
  /** Not of the settings: what comes next must name it again. */
  isTyped: boolean
}

function show({ out }: Terminal, { shown, isTyped }: Address, { findings, trace }: Examination): void {
  out.line(out.paint('bold', shown))
  const width = Math.max(...findings.map(({ topic }) => topic.length))
  for (const finding of findings) showFinding({ out }, finding, width)
  out.line()
  if (findings.some(({ severity }) => severity === 'problem')) {
    out.line('Mend what is marked with ✗ first.')
    out.line(`Next: llm-eval doctor${isTyped ? ` ${shown}` : ''}`)
    return
  }
  out.line(`What can be tested now: ${tested[trace.level]}.`)
  const first = isAdkAddress(shown) ? `llm-eval test FILE.evalset.json --agent` : 'llm-eval init --agent'
  out.line(`Next: ${isTyped ? `${first} ${shown}` : 'llm-eval test'}`)
}

const tested = {
  1: 'output and latency',
  2: 'output, latency, and whatever of cost, tokens and tools it shows',
  3: 'everything: output, latency, cost, tools, their arguments and their order',
}

function showFinding({ out }: Pick<Terminal, 'out'>, { severity, topic, found, add }: Finding, width: number): void {
  const indent = ' '.repeat(width + 6)
  const lines = wrap(oneLine(found), Math.max(30, out.columns - indent.length))
  for (const [index, line] of lines.entries())
    out.line(
      index === 0
        ? `  ${out.paint(colours[severity], marks[severity])} ${topic.padEnd(width)}  ${line}`
        : `${indent}${line}`,
    )
  if (add !== null) out.line(`${indent}${out.paint('cyan', add)}`)
}
