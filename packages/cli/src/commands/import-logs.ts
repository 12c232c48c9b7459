import { createReadStream } from 'node:fs'
import { glob, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  type BridgeLog,
  type EngineLog,
  type JoinedThread,
  joinLogs,
  logLines,
  type LogOptions,
  type LogWarning,
  parseBridgeLog,
  parseEngineLog,
} from '@llm-eval/formats/adk'
import { exportConversation, exportConversations } from '@llm-eval/formats/conversation'
import { type ConversationFormat, limits } from '@llm-eval/protocol'
import { Complaint, exitCodes, fileComplaint, systemCode } from '../complaint.ts'
import { unrecorded } from '../conversations/recorded.ts'
import { tellConversation } from '../conversations/tell.ts'
import { count } from '../display/amounts.ts'
import { oneLine, safeJson } from '../display/width.ts'
import { outputPath } from '../download.ts'
import { findTarget, type GlobalOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

export interface ImportLogsOptions extends GlobalOptions {
  bridge?: string[]
  engine?: string[]
  thread?: string
  out?: string
  force?: boolean
  format: ConversationFormat
  /** Minutes east of Greenwich. */
  utcOffset?: number
  app?: string
  user?: string
  json?: boolean
}

/** `llm-eval import-logs`: puts threads together from the logs of a bridge and of an agent engine, for a file or a server. */
export async function importLogs(terminal: Terminal, options: ImportLogsOptions): Promise<number> {
  const { out, err } = terminal
  if ((options.bridge ?? options.engine) === undefined)
    throw new Complaint('Name the logs: --bridge "logs/events_*.log", --engine "logs/agent_engine_raw_*.log".')
  const path = options.out === undefined ? undefined : outputPath(terminal, { ...options, output: options.out })
  const bridge = await readLogs(terminal, options.bridge ?? [], { parse: parseBridgeLog, options })
  const engine = await readLogs(terminal, options.engine ?? [], { parse: parseEngineLog, options })
  const { threads, warnings } = joinLogs(bridge, engine, { thread: options.thread })
  const told = [...bridge, ...engine].flatMap((log: BridgeLog | EngineLog) => log.warnings)
  for (const warning of [...told, ...warnings]) err.line(`${err.paint('yellow', 'warning:')} ${warningText(warning)}`)
  if (threads.length === 0) {
    const what = options.thread === undefined ? 'No conversation' : `No conversation called ${oneLine(options.thread)}`
    throw new Complaint(`${what} is in ${namesOf(options)}. ${helpWith(options)}`, { exitCode: exitCodes.failed })
  }
  if (options.out !== undefined) await writeThreads(terminal, threads, { path, options })
  else await sendThreads(terminal, threads, options)
  if (options.json)
    out.line(
      safeJson(
        JSON.stringify({ threads: threads.map(({ thread_id }) => thread_id), warnings: [...told, ...warnings] }),
      ),
    )
  return exitCodes.ok
}

/** Patterns that are told. */
const mostNames = 5

function namesOf({ bridge = [], engine = [] }: ImportLogsOptions): string {
  const names = [...bridge, ...engine]
  const more = names.length > mostNames ? ` and ${count(names.length - mostNames)} more` : ''
  return `${oneLine(names.slice(0, mostNames).join(', '))}${more}`
}

function helpWith({ thread }: ImportLogsOptions): string {
  return thread === undefined
    ? '--bridge names logs of AG-UI events and requests, --engine those of what an agent of ADK sent.'
    : 'Without --thread all that are there are imported.'
}

interface Reading<T> {
  parse: (lines: AsyncIterable<string>, options: LogOptions) => Promise<T>
  options: ImportLogsOptions
}

async function readLogs<T>(
  { cwd }: Terminal,
  patterns: readonly string[],
  { parse, options }: Reading<T>,
): Promise<T[]> {
  const files: string[] = []
  for (const pattern of patterns) {
    const found: string[] = []
    for await (const file of glob(pattern, { cwd })) {
      found.push(file)
      if (files.length + found.length > limits.logFiles)
        throw new Complaint(`More than ${limits.logFiles} files are named.`)
    }
    if (found.length === 0) throw new Complaint(`No file is called ${oneLine(pattern)} in ${cwd}.`)
    files.push(...found.toSorted())
  }
  const logs: T[] = []
  for (const file of new Set(files)) {
    const log = createReadStream(resolve(cwd, file))
    try {
      logs.push(await parse(logLines(log), { file, utcOffsetMinutes: options.utcOffset }))
    } catch (error) {
      if (systemCode(error) === 'EISDIR')
        throw new Complaint(`${file} is a directory. Name the files in it: '${file}/*.log'.`, { cause: error })
      throw fileComplaint(`${file} cannot be read`, error)
    }
  }
  return logs
}

function warningText({ file, line, code, message }: LogWarning): string {
  const place = [file, line].filter((part) => part !== null).join(':')
  return oneLine(`${place === '' ? '' : `${place}: `}${message} (${code})`)
}

async function writeThreads(
  { out, err, signal }: Terminal,
  threads: readonly JoinedThread[],
  { path, options }: { path: string | undefined; options: ImportLogsOptions },
): Promise<void> {
  const { format } = options
  const all = threads.map((thread) => ({
    head: { thread_id: thread.thread_id, ...headOf(thread, options) },
    events: thread.events.map((event, index) => ({ ...event, seq: index + 1 })),
  }))
  const [first] = all
  if (!first) return
  if (all.length > 1 && format !== 'evalset' && format !== 'legacy')
    throw new Complaint(
      `${format} holds one conversation alone, and there are ${count(all.length)}: name one by --thread.`,
    )
  const { text, warnings } =
    format === 'evalset' || format === 'legacy'
      ? exportConversations(all, { format })
      : exportConversation(first.head, first.events, { format })
  for (const warning of warnings) err.line(`${err.paint('yellow', 'warning:')} ${oneLine(warning)}`)
  if (path === undefined) return out.write(new TextEncoder().encode(text), signal)
  try {
    await writeFile(path, text)
  } catch (error) {
    throw fileComplaint(path, error)
  }
  err.line(`Wrote ${count(all.length)} ${all.length === 1 ? 'conversation' : 'conversations'}: ${path}`)
}

async function sendThreads(
  terminal: Terminal,
  threads: readonly JoinedThread[],
  options: ImportLogsOptions,
): Promise<void> {
  const server = await findTarget(terminal, options)
  for (const thread of threads) {
    const logged = { thread: thread.thread_id, events: thread.events, now: Date.now() }
    const { events, warnings: untold } = await unrecorded(terminal, server, logged)
    const told = { thread: thread.thread_id, head: headOf(thread, options), events }
    const { stored, duplicates: known, warnings } = await tellConversation(terminal, server, told)
    for (const warning of [...untold, ...warnings])
      terminal.err.line(`${terminal.err.paint('yellow', 'warning:')} ${oneLine(warning)}`)
    const duplicates = known + thread.events.length - events.length
    const were = duplicates === 0 ? '' : `, ${count(duplicates)} were there`
    if (!options.json) terminal.out.line(`${oneLine(thread.thread_id)}: ${count(stored)} events${were}.`)
  }
}

function headOf({ app_name, user_id }: JoinedThread, { app, user }: ImportLogsOptions) {
  return { app_name: app ?? app_name ?? 'agent', user_id: user ?? user_id ?? 'user' }
}
