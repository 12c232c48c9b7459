import type { Conversation, ConversationEvent, ConversationFormat } from '@llm-eval/protocol'
import {
  type AdkEvent,
  type EvalCase,
  evalName,
  type InvocationOptions,
  isUser,
  toEvalCase,
  toEvalSet,
  toInvocations,
  writeEvalCase,
  writeEvalSet,
} from '../adk/index.ts'
import { sha256 } from './sha256.ts'
import { toAdkEvents } from './to-adk-events.ts'
import { toTrace } from './trace.ts'

/** Of a thread: whose it is. */
export type ConversationHead = Pick<Conversation, 'thread_id' | 'app_name' | 'user_id'>

export interface ExportOptions extends InvocationOptions {
  format: ConversationFormat
  /**
   * `kept` unless said, other than for `toInvocations`: `adk eval` holds the final response against one that has the thoughts of its
   * own run, so that an agent that says all the same again would fail against one without.
   */
  thoughts?: 'apart' | 'kept'
  /** Turns that are wanted, from 0; all if absent. Of eval files only. */
  turns?: readonly number[]
  /** Who speaks where nobody is named. */
  author?: string
}

/** How an eval set is called; made of its threads unless said. */
export interface EvalSetNames {
  evalSetId?: string
  name?: string
}

/** A file, and what of the conversation is not in it or not as it was. */
export interface ConversationFileText {
  text: string
  mediaType: string
  fileName: string
  warnings: string[]
}

/**
 * A conversation as a file. `evalset`: `adk eval` runs it. `evalcase`: the bare case, which `adk eval` does not load. `legacy`: an eval
 * set for ADK before 1.16. `trace`: for `POST /webhook/trace`. `jsonl`: what was recorded, an event a line.
 *
 * The same conversation always gives the same file, also in a browser.
 */
export function exportConversation(
  head: ConversationHead,
  events: readonly ConversationEvent[],
  options: ExportOptions,
): ConversationFileText {
  const name = caseName(head.thread_id)
  const { format } = options
  if (format === 'jsonl') {
    const text = events.map((event) => `${JSON.stringify(event)}\n`).join('')
    return { text, mediaType: 'application/x-ndjson', fileName: `${name}.jsonl`, warnings: [] }
  }
  if (format === 'trace') return file(toTrace(head, events), `${name}.trace.json`, [])
  if (format !== 'evalcase') return exportConversations([{ head, events }], { ...options, format })
  const { evalCase, warnings } = toCase(head, events, options)
  const { json, lost } = writeEvalCase(evalCase)
  return file(json, `${name}.evalcase.json`, [...warnings, ...lost])
}

/** Several conversations as one eval set, a case each. */
export function exportConversations(
  conversations: readonly { head: ConversationHead; events: readonly ConversationEvent[] }[],
  options: ExportOptions & EvalSetNames & { format: 'evalset' | 'legacy' },
): ConversationFileText {
  const cases = conversations.map(({ head, events }) => toCase(head, events, options))
  const first = conversations[0]?.head.thread_id ?? ''
  const isOne = conversations.length === 1
  const id = isOne
    ? caseName(first)
    : `conversations${digest(conversations.map(({ head }) => head.thread_id).join('\n'))}`
  const creationTimestamp = cases.map(({ evalCase }) => evalCase.creationTimestamp ?? 0).find((at) => at > 0)
  const { set, warnings } = toEvalSet(
    cases.map(({ evalCase }) => evalCase),
    {
      evalSetId: options.evalSetId ?? (isOne ? `set_${id}` : id),
      name: options.name ?? (isOne ? first : id),
      ...(creationTimestamp !== undefined && { creationTimestamp }),
    },
  )
  const { json, lost } = writeEvalSet(set, { flavour: options.format === 'legacy' ? 'legacy' : 'events' })
  return file(json, `${evalName(options.evalSetId ?? id)}.evalset.json`, [
    ...cases.flatMap((one) => one.warnings),
    ...warnings,
    ...lost,
  ])
}

/** The name of a thread's case: the same wherever and whenever it is exported. */
export function caseName(threadId: string): string {
  return `case${digest(threadId)}`
}

function digest(text: string): string {
  return sha256(text).slice(0, 12)
}

function toCase(
  { thread_id, app_name, user_id }: ConversationHead,
  events: readonly ConversationEvent[],
  options: ExportOptions,
): { evalCase: EvalCase; warnings: string[] } {
  const heard = toAdkEvents(events, options.author === undefined ? {} : { author: options.author })
  const { invocations, warnings } = toInvocations(heard.events, { thoughts: 'kept', ...options })
  const { turns } = options
  const chosen = turns ? invocations.filter((_, index) => turns.includes(index)) : invocations
  const began = Date.parse(events[0]?.at ?? '') / 1_000
  const evalCase = toEvalCase(chosen, {
    evalId: caseName(thread_id),
    appName: app_name,
    userId: user_id,
    state: firstState(heard.events),
    ...(Number.isFinite(began) && { creationTimestamp: began }),
  })
  return { evalCase, warnings: [...heard.warnings, ...warnings, ...endings(events)] }
}

/** The state that a user's side brought before any agent spoke. */
function firstState(events: readonly AdkEvent[]): Record<string, unknown> {
  const state: [string, unknown][] = []
  for (const event of events) {
    if (!isUser(event)) break
    state.push(...Object.entries(event.actions?.stateDelta ?? {}).filter(([key]) => !key.startsWith('temp:')))
  }
  return Object.fromEntries(state)
}

/** Requests that did not come to their end, or of which something was not kept as it was. */
function endings(events: readonly ConversationEvent[]): string[] {
  const open = new Set<string>()
  const warnings: string[] = []
  for (const event of events) {
    if (event.kind === 'run_start' && event.run_id !== null) open.add(event.run_id)
    if (event.kind !== 'run_end') continue
    open.delete(event.run_id ?? '')
    const { status, message } = event.payload
    const isWhole = status === 'finished' || status === 'waiting'
    if (!isWhole || message !== null)
      warnings.push(
        `request ${event.run_id ?? 'without an id'}${isWhole ? '' : ` is ${status}`}${message === null ? '' : `: ${message}`}`,
      )
  }
  return [...warnings, ...[...open].map((id) => `request ${id} has no end: what was heard of it may not be all`)]
}

function file(json: unknown, fileName: string, warnings: string[]): ConversationFileText {
  return { text: `${JSON.stringify(json, null, 2)}\n`, mediaType: 'application/json', fileName, warnings }
}
