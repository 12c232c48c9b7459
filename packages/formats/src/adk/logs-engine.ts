import { limits } from '@llm-eval/protocol'
import type { AdkEvent } from './event.ts'
import { findIn, type Found, leftOutAt, leftOutText, recordOf, textIn } from './logs-find.ts'
import { type LogRecord, LogScanner } from './logs-scan.ts'
import { type LogLines, type LogOptions, type LogWarning, LogWarnings } from './logs-words.ts'
import { readAdkEvent } from './read-event.ts'

/** An event of an agent in the log of its engine. */
export interface EngineLogEvent {
  event: AdkEvent
  /** The log that it is in, as the caller calls it. */
  file: string | null
  line: number
  /** The session as the log calls it; null where it does not. */
  session: string | null
  /** The request of a bridge in which it was said, as its log calls it; null where it does not. */
  run: string | null
  user: string | null
  app: string | null
  /** When it was logged, milliseconds since 1970; null where no time stands there. */
  at: number | null
}

/** A request to the agent that was logged: what the user said, which no answer repeats. */
export interface EngineLogRequest {
  text: string
  line: number
  session: string | null
  user: string | null
  app: string | null
  at: number | null
  /** The invocation that answers it: the first new one after it. Null where none came. */
  invocation: string | null
}

export interface EngineLog {
  events: EngineLogEvent[]
  requests: EngineLogRequest[]
  warnings: LogWarning[]
}

/**
 * Reads what an ADK agent sent, out of a log of any shape: pure NDJSON, `data:` lines, lines with a time and a level before the
 * JSON, JSON over several lines, dicts as Python prints them, sessions with their `events`. Nothing throws: what cannot be used is
 * told with its line. Seed 003's `parse_agent_engine_logs`.
 */
export async function parseEngineLog(lines: LogLines, options: LogOptions = {}): Promise<EngineLog> {
  const warnings = new LogWarnings(options.file ?? null)
  const scanner = new LogScanner(warnings)
  const log: EngineLog = { events: [], requests: [], warnings: [] }
  const taking: Taking = { log, warnings, options, open: [], sessions: new Map() }
  for await (const line of lines) for (const record of scanner.push(line)) take(record, taking)
  scanner.end()
  return { ...log, warnings: warnings.all() }
}

interface Taking {
  log: EngineLog
  /** Requests that nothing answers yet. */
  open: EngineLogRequest[]
  /** By invocation, as far as they are known. */
  sessions: Map<string, string | null>
  warnings: LogWarnings
  options: LogOptions
}

function take(record: LogRecord, taking: Taking): void {
  const left = leftOutAt(record)
  if (left !== null) taking.warnings.add('lines_left_out', record.line, leftOutText(left))
  for (const found of findIn(record, isWanted, taking.options)) {
    if (isRequest(found.value)) takeRequest(found, record.line, taking)
    else if (isEvent(found.value)) takeEvent(found, record.line, taking)
    else taking.warnings.add('agent_error', record.line, `The agent failed: ${errorOf(found.value) ?? ''}.`)
  }
}

function takeEvent({ value, hints }: Found, line: number, taking: Taking): void {
  const { log, warnings, sessions, options } = taking
  if (log.events.length >= (options.mostEvents ?? limits.logEvents)) {
    warnings.once('too_many', line, `The log has more events than are read: ${log.events.length}.`)
    return
  }
  const read = readAdkEvent(value)
  if ('fault' in read) return warnings.add('bad_event', line, `It ${read.fault}.`)
  const { event, lost } = read
  const { invocationId } = event
  if (invocationId === '') return warnings.add('bad_event', line, 'An event has no invocation id.')
  const untold = lost.filter((one) => hints.at === null || !one.startsWith('timestamp '))
  if (untold.length > 0) warnings.add('not_kept', line, `Of an event is not kept: ${untold.slice(0, 5).join('; ')}.`)
  if (!sessions.has(invocationId)) sessions.set(invocationId, answered(invocationId, hints.thread, taking))
  const session = hints.thread ?? sessions.get(invocationId) ?? null
  // A bridge says both; alone, it is hardly the name of a request.
  const run = hints.thread === null ? null : hints.run
  log.events.push({ event, file: warnings.file, line, session, run, user: hints.user, app: hints.app, at: hints.at })
}

/** Finds the request that a new invocation answers, and gives its session. */
function answered(invocation: string, session: string | null, { open, warnings }: Taking): string | null {
  const place = open.findLastIndex((one) => session === null || one.session === null || one.session === session)
  const request = open[place]
  if (!request) return session
  if (session === null && open.length > 1)
    warnings.once('ambiguous', request.line, 'Several requests are open when an answer begins: it is for the last one.')
  request.invocation = invocation
  open.splice(place, 1)
  return session ?? request.session
}

/** Requests that nothing answered, and that may still be. */
const mostOpen = 100

function takeRequest({ value, hints }: Found, line: number, { log, open }: Taking): void {
  const input = recordOf(value['input']) ?? value
  const message = value['newMessage'] ?? value['new_message'] ?? input['message']
  const text = typeof message === 'string' ? message : textOfParts(message)
  if (text === '' || log.requests.length >= limits.logEvents) return
  const session = textIn(input, 'session_id', 'sessionId') ?? hints.thread
  const user = textIn(input, 'user_id', 'userId') ?? hints.user
  const request = { text, line, session, user, app: hints.app, at: hints.at, invocation: null }
  log.requests.push(request)
  open.push(request)
  if (open.length > mostOpen) open.shift()
}

function textOfParts(content: unknown): string {
  const parts: unknown = recordOf(content)?.['parts']
  if (!Array.isArray(parts)) return ''
  return parts.flatMap((part: unknown) => textIn(recordOf(part) ?? {}, 'text') ?? []).join('\n')
}

function isWanted(value: Record<string, unknown>): boolean {
  return isRequest(value) || isEvent(value) || errorOf(value) !== undefined
}

function isEvent(value: Record<string, unknown>): boolean {
  const isTurn = 'invocation_id' in value || 'invocationId' in value
  return (isTurn && ('author' in value || 'content' in value || 'actions' in value)) || isBare(value)
}

/** An event that lost its id still says that it is one. */
function isBare(value: Record<string, unknown>): boolean {
  const content = recordOf(value['content'])
  return 'author' in value && Array.isArray(content?.['parts'])
}

function isRequest(value: Record<string, unknown>): boolean {
  return 'newMessage' in value || 'new_message' in value || ('class_method' in value && 'input' in value)
}

function errorOf(value: Record<string, unknown>): string | undefined {
  if (!('error' in value)) return undefined
  const { error } = value
  const message = typeof error === 'string' ? error : recordOf(error)?.['message']
  return typeof message === 'string' ? message.slice(0, 500) : undefined
}
