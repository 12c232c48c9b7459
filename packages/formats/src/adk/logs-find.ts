import { isObject } from '@llm-eval/protocol'
import { readJson } from './json.ts'
import type { LogRecord } from './logs-scan.ts'
import type { LogOptions } from './logs-words.ts'

/** What stands around a record and tells whose it is. */
export interface LogHints {
  thread: string | null
  run: string | null
  user: string | null
  app: string | null
  /** Milliseconds since 1970. */
  at: number | null
}

/** An object inside a record, with what the objects around it tell. */
export interface Found {
  value: Record<string, unknown>
  hints: LogHints
}

/** Names under which loggers keep what they were given. */
const envelopes = [
  'event',
  'raw',
  'raw_event',
  'data',
  'payload',
  'jsonPayload',
  'json_payload',
  'message',
  'msg',
  'body',
  'request',
  'response',
  'output',
  'chunk',
  'events',
  'input',
]
/** Envelopes inside each other. */
const mostEnvelopes = 5

/**
 * The objects of a record that somebody is after, from outside to inside: loggers put what they log into objects of their own, and
 * into strings. Inside of one that is taken nothing is looked for.
 */
export function* findIn(
  { prefix, value }: LogRecord,
  isWanted: (value: Record<string, unknown>) => boolean,
  { utcOffsetMinutes = 0 }: LogOptions,
): Generator<Found> {
  yield* walk({ value, hints: hintsOf(prefix, utcOffsetMinutes), depth: 0 }, isWanted)
}

function* walk(
  { value, hints, depth }: { value: unknown; hints: LogHints; depth: number },
  isWanted: (value: Record<string, unknown>) => boolean,
): Generator<Found> {
  if (depth > mostEnvelopes) return
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) yield* walk({ value: item, hints, depth: depth + 1 }, isWanted)
    return
  }
  if (typeof value === 'string') {
    const json = /^\s*[[{]/.test(value) ? readJson(value) : undefined
    if (json && 'value' in json) yield* walk({ value: json.value, hints, depth: depth + 1 }, isWanted)
    return
  }
  const object = recordOf(value)
  if (!object) return
  const known = withHints(object, hints)
  if (isWanted(object)) {
    yield { value: object, hints: known }
    return
  }
  for (const name of envelopes)
    if (Object.hasOwn(object, name)) yield* walk({ value: object[name], hints: known, depth: depth + 1 }, isWanted)
}

/** How many lines whoever wrote a log says to have left out at a record; null of any other record. */
export function leftOutAt({ value }: LogRecord): number | null {
  const left = recordOf(value)?.['lines_left_out']
  return typeof left === 'number' ? left : null
}

/** What is told of lines that were left out. */
export function leftOutText(lines: number): string {
  return `${lines} ${lines === 1 ? 'line is' : 'lines are'} missing here: they came faster than they could be written.`
}

/** An object as JSON has them; undefined for anything else. */
export function recordOf(value: unknown): Record<string, unknown> | undefined {
  return isObject(value) ? value : undefined
}

/** The first of the members that is a text with something in it. */
export function textIn(object: Record<string, unknown>, ...names: string[]): string | null {
  for (const name of names) {
    const value = Object.hasOwn(object, name) ? object[name] : undefined
    if (typeof value === 'string' && value !== '') return value
  }
  return null
}

/** A moment, in milliseconds since 1970, of a number of seconds or milliseconds, or of a text; null of anything else. */
export function momentOf(value: unknown, utcOffsetMinutes = 0): number | null {
  if (typeof value === 'number') return value > 0 && value < 1e14 ? (value > 1e11 ? value : value * 1_000) : null
  return typeof value === 'string' ? timeIn(value, utcOffsetMinutes) : null
}

function withHints(object: Record<string, unknown>, hints: LogHints): LogHints {
  // A session as ADK stores it calls itself `id`.
  const session = Array.isArray(object['events']) ? textIn(object, 'id') : null
  return {
    thread: textIn(object, 'thread_id', 'threadId', 'session_id', 'sessionId') ?? session ?? hints.thread,
    run: textIn(object, 'run_id', 'runId') ?? hints.run,
    user: textIn(object, 'user_id', 'userId') ?? hints.user,
    app: textIn(object, 'app_name', 'appName') ?? hints.app,
    at: momentOf(object['timestamp'] ?? object['time'] ?? object['asctime']) ?? hints.at,
  }
}

function hintsOf(prefix: string, utcOffsetMinutes: number): LogHints {
  return {
    thread: named(prefix, thread),
    run: named(prefix, run),
    user: named(prefix, user),
    app: named(prefix, app),
    at: timeIn(prefix, utcOffsetMinutes),
  }
}

const thread = /\b(?:thread|session)(?:_?id)?\s{0,5}[=:]\s{0,5}["']?([\w.:@-]{1,200})/i
const run = /\brun(?:_?id)?\s{0,5}[=:]\s{0,5}["']?([\w.:@-]{1,200})/i
const user = /\buser(?:_?id)?\s{0,5}[=:]\s{0,5}["']?([\w.:@-]{1,200})/i
const app = /\bapp(?:_?name)?\s{0,5}[=:]\s{0,5}["']?([\w.:@-]{1,200})/i

function named(prefix: string, pattern: RegExp): string | null {
  return pattern.exec(prefix)?.[1] ?? null
}

function timeIn(text: string, utcOffsetMinutes: number): number | null {
  const found = moment.exec(text)
  if (!found) return null
  const [, day = '', time = '', fraction = '', zone = ''] = found
  const local = Date.parse(`${day}T${time}.${fraction.padEnd(3, '0').slice(0, 3)}Z`)
  if (Number.isNaN(local)) return null
  const [, sign = '+', hours = '0', minutes = '0'] = /([+-])(\d\d):?(\d\d)/.exec(zone) ?? []
  const offset = zone === '' ? utcOffsetMinutes : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
  return local - offset * 60_000
}
const moment = /(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?/
