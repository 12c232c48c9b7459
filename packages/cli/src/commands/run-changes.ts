import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isObject, limits, type Route, runRoutes, type RunTask } from '@llm-eval/protocol'
import { run as runAnswer } from '@llm-eval/protocol/run-schemas'
import { deletion } from '@llm-eval/protocol/answers'
import { Complaint, exitCodes, fileComplaint, orImpossible } from '../complaint.ts'
import { confirmed } from '../confirm.ts'
import { count } from '../display/amounts.ts'
import { ProgressBar } from '../display/progress.ts'
import { oneLine, safeJson } from '../display/width.ts'
import { ask, readAnswer } from '../http.ts'
import { readMembers } from '../members.ts'
import { reachTarget } from '../place.ts'
import { findTarget, type GlobalOptions, type Target } from '../target.ts'
import type { Stage, Terminal } from '../terminal.ts'
import { doneText, fetchRun, printRun, type ToldRun } from './runs.ts'

type Shown = GlobalOptions & { json?: boolean }

/** Options of `llm-eval runs start`. */
export interface StartOptions extends Shown {
  id?: string
  name?: string
  description?: string
  dataset?: string
  at?: string
  endpoint?: string
  header?: string[]
  output?: string
  prompt?: string
  system?: string
  model?: string
  outputs?: string
  metric?: string[]
  repetitions?: number
  concurrency?: number
  /** Milliseconds. */
  timeout?: number
  retries?: number
  maxCost?: number
  /** Milliseconds. */
  maxTime?: number
  tag?: string[]
  watch?: boolean
}

/** `llm-eval runs start`: makes a run of a file, of flags, or of a file with flags over it. Gives the exit code. */
export async function startRun(terminal: Terminal, file: string | undefined, options: StartOptions): Promise<number> {
  const given = file === undefined ? {} : await readMembers(terminal, [file === '-' ? '-' : `@${file}`])
  const body = { ...given, ...(await bodyOf(terminal, given, options)) }
  if (!('task' in body))
    throw new Complaint('Say what answers the cases: --endpoint URL, --prompt TEXT, --outputs COLUMN, or a file.')
  const target = await findTarget(terminal, options)
  const { run, words } = await orImpossible(async () => {
    const answer = await ask(target, { route: runRoutes.createRun, body, signal: terminal.signal })
    const told = answer.status === 201 ? 'Started' : 'It is there already:'
    return { run: await readAnswer(answer, runAnswer), words: told }
  })
  return follow(terminal, { target, run, words, options })
}

/** What the flags say, in the words of the wire; the server says what is wrong with it. */
async function bodyOf(
  terminal: Terminal,
  given: Record<string, unknown>,
  options: StartOptions,
): Promise<Record<string, unknown>> {
  const task = await taskOf(terminal, options)
  const { maxCost: cost, maxTime, dataset } = options
  const bounds = defined({ cost, duration_ms: maxTime })
  const settings = defined({
    repetitions: options.repetitions,
    concurrency: options.concurrency,
    timeout_ms: options.timeout,
    retries: options.retries,
    limits: Object.keys(bounds).length === 0 ? undefined : bounds,
  })
  const before: unknown = given['settings']
  return defined({
    run_id: options.id,
    name: options.name ?? given['name'] ?? dataset ?? given['dataset'],
    description: options.description,
    dataset,
    dataset_version: options.at,
    task,
    metrics_used: options.metric?.map(metricOf),
    settings:
      Object.keys(settings).length === 0 ? undefined : { ...(isObject(before) ? before : undefined), ...settings },
    tags: options.tag,
  })
}

function defined(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** `evaluator`, or `name=evaluator`. */
function metricOf(text: string): string | { name: string; evaluator: string } {
  const at = text.indexOf('=')
  return at === -1 ? text : { name: text.slice(0, at), evaluator: text.slice(at + 1) }
}

async function taskOf(terminal: Terminal, options: StartOptions): Promise<RunTask | undefined> {
  const { endpoint, prompt, outputs, header, output, system, model } = options
  if ([endpoint, prompt, outputs].filter((one) => one !== undefined).length > 1)
    throw new Complaint('Only one of --endpoint, --prompt and --outputs can answer the cases.')
  if (endpoint === undefined && (header !== undefined || output !== undefined))
    throw new Complaint('--header and --output belong to --endpoint.')
  if (prompt === undefined && (system !== undefined || model !== undefined))
    throw new Complaint('--system and --model belong to --prompt.')
  if (endpoint !== undefined) return { kind: 'http', url: endpoint, headers: headersOf(header), output }
  if (outputs !== undefined) return { kind: 'outputs', column: outputs }
  if (prompt === undefined) return undefined
  return { kind: 'prompt', template: await textOf(terminal, prompt), system, model }
}

function headersOf(given: string[] | undefined): Record<string, string> | undefined {
  return (
    given &&
    Object.fromEntries(
      given.map((text) => {
        const at = text.search(/[:=]/)
        // What it holds may be a secret.
        if (at <= 0) throw new Complaint('A header is given as "Name: value".')
        return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
      }),
    )
  )
}

/** Text, or that of a file: `@FILE`. */
async function textOf({ cwd }: Terminal, given: string): Promise<string> {
  if (!given.startsWith('@')) return given
  const path = resolve(cwd, given.slice(1))
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw fileComplaint(`${path} cannot be read`, error)
  }
}

interface Followed {
  target: Target
  run: ToldRun
  /** What was done to it. */
  words: string
  options: Shown & { watch?: boolean }
}

/** Says that a run goes on, or stays until it is over. */
async function follow(terminal: Terminal, { target, run, words, options }: Followed): Promise<number> {
  if (options.watch) return watch(terminal, { target, run, options })
  const { out } = terminal
  if (options.json) out.line(safeJson(JSON.stringify(run)))
  else out.line(`${words} ${oneLine(run.run_id)}.\n\nNext: llm-eval runs watch ${oneLine(run.run_id)}`)
  return exitCodes.ok
}

/** `llm-eval runs watch`: stays until a run is over, and shows it then. Gives the exit code. */
export async function watchRun(terminal: Terminal, id: string, options: Shown): Promise<number> {
  const target = await findTarget(terminal, options)
  const run = await orImpossible(() => fetchRun(terminal, target, id))
  return watch(terminal, { target, run, options })
}

/** Milliseconds between two looks at a run; times in a row that the server may be away. */
const lookEvery = 500
const looksAway = 60

async function watch(terminal: Terminal, followed: Omit<Followed, 'words'>): Promise<number> {
  const { out, err, signal } = terminal
  const { target, options } = followed
  let { run } = followed
  const bar = new ProgressBar(err)
  try {
    let away = 0
    while (run.status === 'queued' || run.status === 'running') {
      bar.show({ done: run.completed_items, total: run.total_items, words: watchText(run) })
      await delay(lookEvery, undefined, { signal })
      try {
        run = await orImpossible(() => fetchRun(terminal, target, run.run_id))
        away = 0
      } catch (error) {
        if (signal.aborted || ++away === looksAway) throw error
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
    const message = `Interrupted. The run goes on: \`llm-eval runs watch ${oneLine(run.run_id)}\` follows it, \`runs cancel\` ends it.`
    throw new Complaint(message, { exitCode: exitCodes.interrupted })
  } finally {
    bar.end()
  }
  if (options.json) out.line(safeJson(JSON.stringify(run)))
  else await printRun(terminal, target, run)
  return run.status === 'completed' ? exitCodes.ok : exitCodes.failed
}

function watchText(run: ToldRun): string {
  const failed = run.completed_items - run.successful_items
  const trouble = failed === 0 ? '' : `, ${count(failed)} failed`
  return run.status === 'queued' ? 'waits for a worker …' : `${doneText(run)} items${trouble}`
}

/** `llm-eval runs resume`: goes on with a run that is over. Gives the exit code. */
export async function resumeRun(terminal: Terminal, id: string, options: Shown & { watch?: boolean }): Promise<number> {
  const target = await findTarget(terminal, options)
  const resume = () => change(terminal, target, { id, route: runRoutes.resumeRun })
  const run = await (options.watch ? orImpossible(resume) : resume())
  return follow(terminal, { target, run, words: 'Goes on:', options })
}

/** `llm-eval runs cancel`: ends a run; what is finished stays. */
export async function cancelRun(terminal: Stage, id: string, options: Shown): Promise<void> {
  const target = await reachTarget(terminal, options)
  const run = await change(terminal, target, { id, route: runRoutes.cancelRun })
  if (options.json) return terminal.out.line(safeJson(JSON.stringify(run)))
  terminal.out.line(`${oneLine(id)} is cancelled, with ${doneText(run)} items finished.`)
}

/** Options of `llm-eval runs approve` and `reject`. */
export interface DecideOptions extends Shown {
  note?: string
  by?: string
}

/** `llm-eval runs approve`. */
export async function approveRun(terminal: Stage, id: string, options: DecideOptions): Promise<void> {
  await decide(terminal, { id, route: runRoutes.approveRun }, options)
}

/** `llm-eval runs reject`. */
export async function rejectRun(terminal: Stage, id: string, options: DecideOptions): Promise<void> {
  await decide(terminal, { id, route: runRoutes.rejectRun }, options)
}

async function decide(terminal: Stage, wish: Change, options: DecideOptions): Promise<void> {
  const target = await reachTarget(terminal, options)
  const { note, by } = options
  if ((note?.length ?? 0) > limits.noteChars)
    throw new Complaint(`--note may hold at most ${limits.noteChars} characters.`)
  const run = await change(terminal, target, { ...wish, body: defined({ note, by }) })
  if (options.json) return terminal.out.line(safeJson(JSON.stringify(run)))
  terminal.out.line(`${oneLine(wish.id)} is ${run.approval?.state ?? 'not decided'}.`)
}

interface Change {
  id: string
  route: Route
  body?: object
}

async function change({ signal }: Terminal, target: Target, { id, ...asked }: Change): Promise<ToldRun> {
  return readAnswer(await ask(target, { ...asked, values: { run_id: id }, signal }), runAnswer)
}

/** `llm-eval runs delete`: deletes a run with its items. Gives the exit code. */
export async function deleteRun(
  terminal: Stage,
  id: string,
  options: GlobalOptions & { yes?: boolean },
): Promise<number> {
  const { out, err, signal } = terminal
  const target = await reachTarget(terminal, options)
  const question = `Delete the run ${oneLine(id)} with all of its items? Its id cannot be used again.`
  if (!options.yes && !(await confirmed(terminal, question))) {
    err.line('Nothing was deleted.')
    return exitCodes.failed
  }
  await readAnswer(await ask(target, { route: runRoutes.deleteRun, values: { run_id: id }, signal }), deletion)
  out.line(`${oneLine(id)} is deleted.`)
  return exitCodes.ok
}
