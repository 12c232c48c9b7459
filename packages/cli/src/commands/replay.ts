import { setTimeout as pause } from 'node:timers/promises'
import { adkMeasures } from '@llm-eval/engine/agent'
import { type ConversationComparison, conversationRoutes } from '@llm-eval/protocol'
import { conversationComparison, conversationDetail, replayBegun } from '@llm-eval/protocol/conversation-answers'
import { Complaint, exitCodes } from '../complaint.ts'
import type { ReplayGate, ReplayOptions, SaidAgain } from '../conversations/said.ts'
import { figure } from '../display/amounts.ts'
import { type Column, table } from '../display/table.ts'
import { oneLine, safeJson } from '../display/width.ts'
import { ask, givenOnly, readAnswer } from '../http.ts'
import { findTarget, type Target } from '../target.ts'
import type { Stage, Terminal } from '../terminal.ts'

/**
 * `llm-eval replay`: says what the user of a conversation said again, and holds what came of it against the recording. 0 when all
 * was answered and every gate holds, 1 when a gate does not, 2 when that could not be told.
 */
export async function replay(terminal: Stage, thread: string, options: ReplayOptions): Promise<number> {
  try {
    return await replayed(terminal, thread, options)
  } catch (error) {
    // Without a comparison nothing is told, whatever was in its way.
    if (!(error instanceof Complaint)) throw error
    throw new Complaint(error.message, { exitCode: exitCodes.impossible, cause: error })
  }
}

async function replayed(terminal: Stage, thread: string, options: ReplayOptions): Promise<number> {
  const { agent, target } = options
  if ((agent === undefined) === (target === undefined))
    throw new Complaint(
      'Say who is asked: --agent with an address, or --target with the name of a target of the bridge.',
    )
  const server = await findTarget(terminal, options)
  const said =
    target === undefined
      ? await (await import('../conversations/say-again.ts')).sayAgain(terminal, server, { thread, options })
      : await sayOnServer(terminal, server, { thread, target, options })
  const comparison = await compare(terminal, server, { thread, replay: said.thread })
  const told = { ...comparison, warnings: [...new Set([...said.warnings, ...comparison.warnings])] }
  const code = exitCodeOf(told, { gates: options.min ?? [], isWhole: said.isWhole })
  if (options.json) terminal.out.line(safeJson(JSON.stringify({ exit_code: code, ...told })))
  else show(terminal, told, { code, gates: options.min ?? [] })
  return code
}

async function sayOnServer(
  { signal, err }: Terminal,
  server: Target,
  { thread, target, options }: { thread: string; target: string; options: ReplayOptions },
): Promise<SaidAgain> {
  const asked = { route: conversationRoutes.replayConversation, values: { thread }, body: { target }, signal }
  const begun = await readAnswer(await ask(server, asked), replayBegun)
  err.line(`Recording ${begun.thread_id}`)
  let seen = ''
  for (
    let until = performance.now() + options.timeout;
    performance.now() < until;
    await pause(200, undefined, { signal })
  ) {
    const route = conversationRoutes.getConversation
    const response = await ask(server, { route, values: { thread: begun.thread_id }, signal })
    const { state, turns, events } = await readAnswer(response, conversationDetail)
    const isOver = (turns >= begun.turns && state !== 'running') || /^(failed|cancelled|truncated)$/.test(state)
    if (isOver)
      return {
        thread: begun.thread_id,
        warnings: begun.warnings,
        isWhole: begun.warnings.length === 0 && state === 'finished',
      }
    if (`${state} ${events}` !== seen) until = performance.now() + options.timeout
    seen = `${state} ${events}`
  }
  const warning = `nothing happened for ${options.timeout / 1_000} s: the replay was not waited for`
  return { thread: begun.thread_id, warnings: [...begun.warnings, warning], isWhole: false }
}

async function compare(
  { signal }: Terminal,
  server: Target,
  { thread, replay: other }: { thread: string; replay: string },
): Promise<ConversationComparison> {
  const route = conversationRoutes.compareConversation
  const asked = { route, values: { thread: other }, query: givenOnly({ with: thread }), signal }
  return readAnswer(await ask(server, asked), conversationComparison)
}

interface Judging {
  gates: readonly ReplayGate[]
  isWhole: boolean
}

function exitCodeOf({ scores, turns }: ConversationComparison, { gates, isWhole }: Judging): 0 | 1 | 2 {
  if (gates.some(({ measure, least }) => (scores[measure] ?? 1) < least)) return exitCodes.failed
  const isTold = gates.every(({ measure }) => scores[measure] !== null)
  const isAnswered = turns.length > 0 && turns.every(({ actual }) => actual !== null)
  return isTold && isAnswered && isWhole ? exitCodes.ok : exitCodes.impossible
}

const columns: Column[] = [
  { title: 'TURN', align: 'right' },
  { title: 'TRAJECTORY', align: 'right' },
  { title: 'RESPONSE', align: 'right' },
  { title: 'PARAMETERS', align: 'right' },
  { title: 'USER' },
]

const verdicts = { 0: ['green', 'PASSED'], 1: ['red', 'FAILED'], 2: ['yellow', 'NOT EVALUATED'] } as const

function show(
  { out, err }: Terminal,
  { replay: other, recording, scores, turns, warnings }: ConversationComparison,
  { code, gates }: { code: 0 | 1 | 2; gates: readonly ReplayGate[] },
): void {
  const rows = turns.map((turn) => [
    String(turn.index + 1),
    ...adkMeasures.map((measure) => figure(turn[measure])),
    oneLine(turn.user),
  ])
  const all = ['all', ...adkMeasures.map((measure) => figure(scores[measure])), '']
  for (const line of table(out, columns, [...rows, all])) out.line(line)
  for (const warning of warnings) err.line(`${err.paint('yellow', 'warning:')} ${oneLine(warning)}`)
  const [paint, verdict] = verdicts[code]
  const asked = gates.map(({ measure, least }) => `${measure} ${figure(scores[measure])} of ${least}`).join(', ')
  const answered = turns.filter(({ actual }) => actual !== null).length
  const compared = `${answered} of ${turns.length} ${turns.length === 1 ? 'turn' : 'turns'} ${answered === 1 ? 'was' : 'were'} answered, and can be compared.`
  out.line()
  out.line(
    `${out.paint(paint, out.paint('bold', verdict))}  ${asked !== '' ? asked : code === 0 ? 'All turns are compared.' : compared}`,
  )
  out.line(`${oneLine(other)} replays ${oneLine(recording)}.`)
}
