import { writeFile } from 'node:fs/promises'
import {
  type ConversationFormat,
  conversationRoutes,
  type ConversationState,
  type ConversationStep,
  type ConversationTurn,
} from '@llm-eval/protocol'
import { deletion } from '@llm-eval/protocol/answers'
import { conversationDetail, conversationPage, conversationTurnPage } from '@llm-eval/protocol/conversation-answers'
import type * as z from 'zod'
import { Complaint, exitCodes, fileComplaint } from '../complaint.ts'
import { confirmed } from '../confirm.ts'
import { count, duration, localTime } from '../display/amounts.ts'
import { type Column, facts, table } from '../display/table.ts'
import { oneLine, safeJson } from '../display/width.ts'
import { type OutputOptions, outputPath } from '../download.ts'
import { ask, givenOnly, readAnswer } from '../http.ts'
import { findTarget, type GlobalOptions } from '../target.ts'
import type { Screen, Terminal } from '../terminal.ts'

/** Options of `llm-eval conversations list`. */
export interface ListConversationsOptions extends GlobalOptions {
  target?: string
  user?: string
  app?: string
  state?: ConversationState
  search?: string
  limit: number
  cursor?: string
  json?: boolean
}

const columns: Column[] = [
  { title: 'UPDATED' },
  { title: 'THREAD', max: 36 },
  { title: 'STATE' },
  { title: 'TURNS', align: 'right' },
  { title: 'CALLS', align: 'right' },
  { title: 'TOKENS', align: 'right' },
  { title: 'APP', max: 20 },
  { title: 'TITLE' },
]

/** `llm-eval conversations list`: one page, the last one that something happened in first. */
export async function listConversations(terminal: Terminal, options: ListConversationsOptions): Promise<void> {
  const { out, err, signal } = terminal
  const { target, user, app, state, search, limit, cursor, json } = options
  const query = givenOnly({ target, user_id: user, app_name: app, state, q: search, limit: String(limit), cursor })
  const server = await findTarget(terminal, options)
  const response = await ask(server, { route: conversationRoutes.listConversations, query, signal })
  const page = await readAnswer(response, conversationPage)
  if (json) for (const item of page.items) out.line(safeJson(JSON.stringify(item)))
  else if (page.items.length === 0) err.line('No conversation fits.')
  else {
    const rows = page.items.map((one) => [
      localTime(one.updated_at),
      oneLine(one.thread_id),
      one.state,
      count(one.turns),
      count(one.tool_calls),
      known(one.tokens.total),
      oneLine(one.app_name),
      oneLine(one.title),
    ])
    for (const line of table(out, columns, rows)) out.line(line)
  }
  if (page.next_cursor !== null) err.line(`There is more: --cursor ${page.next_cursor}`)
}

export interface ShowConversationOptions extends GlobalOptions {
  turns: number
  json?: boolean
}

/** `llm-eval conversations show`: its numbers, and its newest turns as people read them. */
export async function showConversation(
  terminal: Terminal,
  thread: string,
  options: ShowConversationOptions,
): Promise<void> {
  const { out, err, signal } = terminal
  const server = await findTarget(terminal, options)
  const values = { thread }
  const { getConversation, listConversationTurns } = conversationRoutes
  const detail = await readAnswer(await ask(server, { route: getConversation, values, signal }), conversationDetail)
  const query = { limit: String(options.turns) }
  const asked = { route: listConversationTurns, values, query, signal }
  const { items, total } = await readAnswer(await ask(server, asked), conversationTurnPage)
  if (options.json) return out.line(safeJson(JSON.stringify({ ...detail, turns: items }, null, 2)))
  for (const line of facts(out, headOf(detail))) out.line(line)
  if (items.length < total) err.line(`The last ${count(items.length)} of ${count(total)} turns; --turns shows more.`)
  for (const turn of items) showTurn(out, turn)
}

function headOf(one: z.infer<typeof conversationDetail>): [string, string][] {
  const { totalThinkingTokens: thinking, durationSeconds: seconds } = one.session_stats
  const optional: [string, string | null][] = [
    ['Error', one.error],
    ['Target', one.target],
    ['Agents', one.agents.join(', ') || null],
    ['Models', one.models.join(', ') || null],
    ['Replay of', one.replay_of],
  ]
  return [
    ['Thread', oneLine(one.thread_id)],
    ['Title', oneLine(one.title)],
    ['State', one.state],
    ['App, user', oneLine(`${one.app_name}, ${one.user_id}`)],
    ['Began', `${localTime(one.started_at)}, ${seconds === null ? '-' : duration(seconds * 1_000)}`],
    ['Turns', `${count(one.turns)}, ${count(one.tool_calls)} calls of tools`],
    ['Tokens', `${known(one.tokens.total)}, ${known(thinking)} of thoughts`],
    ...optional.flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, oneLine(value)]])),
  ]
}

function showTurn(out: Screen, { index, user, steps, state, error }: ConversationTurn): void {
  const words = user === null ? 'results of tools' : user.text
  out.line()
  out.line(`${out.paint('bold', `${index + 1}  ${oneLine(words)}`)}${state === 'finished' ? '' : `  (${state})`}`)
  for (const file of user?.files ?? []) out.line(`   file ${oneLine(file.mime_type)}`)
  for (const step of steps) out.line(`   ${oneLine(step.author)}  ${stepText(out, step)}`)
  if (error !== null) out.line(`   ${out.paint('red', oneLine(error))}`)
}

function stepText(out: Screen, step: ConversationStep): string {
  switch (step.kind) {
    case 'text':
      return oneLine(step.text)
    case 'thought':
      return out.paint('dim', `(${oneLine(step.text)})`)
    case 'tool': {
      const result = step.result === null ? (step.long_running ? 'waits' : 'no result') : JSON.stringify(step.result)
      return oneLine(`${step.name}(${JSON.stringify(step.args)}) → ${result}`)
    }
    case 'file':
      return oneLine(`file ${step.file.mime_type} ${step.file.uri ?? ''}`.trimEnd())
    case 'code':
      return oneLine(`code ${step.code} → ${step.output ?? step.outcome ?? 'no result'}`)
    case 'transfer':
      return `hands over to ${oneLine(step.to)}`
  }
}

export interface ExportConversationsOptions extends GlobalOptions, OutputOptions {
  format: ConversationFormat
  name?: string
}

/** `llm-eval conversations export`: one conversation as a file, or several as one eval set. */
export async function exportConversations(
  terminal: Terminal,
  threads: string[],
  options: ExportConversationsOptions,
): Promise<void> {
  const { out, err, signal } = terminal
  const path = outputPath(terminal, options)
  const { format, name } = options
  const [thread = ''] = threads
  const isOne = threads.length === 1 && name === undefined
  if (!isOne && (format === 'evalcase' || format === 'trace'))
    throw new Complaint(`${format} is a format of one conversation alone: use evalset, legacy or jsonl.`)
  const server = await findTarget(terminal, options)
  const { exportConversation, exportConversations: several } = conversationRoutes
  const response = await ask(
    server,
    isOne
      ? { route: exportConversation, values: { thread_id: thread }, query: { format }, signal }
      : {
          route: several,
          body: { thread_ids: threads, format, ...(name !== undefined && { eval_set_id: name }) },
          signal,
        },
  )
  const bytes = new Uint8Array(await response.arrayBuffer())
  for (const warning of warningsOf(response)) err.line(`${err.paint('yellow', 'warning:')} ${oneLine(warning)}`)
  if (path === undefined) return out.write(bytes, signal)
  try {
    await writeFile(path, bytes)
  } catch (error) {
    throw fileComplaint(path, error)
  }
  err.line(`Wrote ${path}`)
}

/** What of a conversation is not in the file, or not as it was. */
function warningsOf({ headers }: Response): string[] {
  const many = Number(headers.get('x-export-warnings') ?? 0)
  const list = headers.get('x-export-warning-list')
  if (list === null) return many > 0 ? [`${count(many)} things are not in the file as they were recorded`] : []
  const told: unknown = JSON.parse(decodeURIComponent(list))
  return Array.isArray(told) ? told.map(String) : []
}

/** `llm-eval conversations delete`: deletes conversations for good. */
export async function deleteConversations(
  terminal: Terminal,
  threads: string[],
  options: GlobalOptions & { yes?: boolean },
): Promise<number> {
  const server = await findTarget(terminal, options)
  const what = threads.length === 1 ? oneLine(threads[0] ?? '') : `${count(threads.length)} conversations`
  if (!options.yes && !(await confirmed(terminal, `Delete ${what} for good? Ids cannot be used again.`))) {
    terminal.err.line('Nothing was deleted.')
    return exitCodes.failed
  }
  for (const thread of threads) {
    const asked = { route: conversationRoutes.deleteConversation, values: { thread }, signal: terminal.signal }
    await readAnswer(await ask(server, asked), deletion)
    terminal.out.line(`${oneLine(thread)} is deleted.`)
  }
  return exitCodes.ok
}

function known(amount: number | null): string {
  return amount === null ? '-' : count(amount)
}
