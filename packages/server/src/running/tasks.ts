/** What answers the cases of runs that the server works off. */
import {
  type AddressCheck,
  addressFault,
  type Answerer,
  type Ask,
  folded,
  guardedFetch,
  type Models,
  NoScore,
  type RunAnswer,
  TaskFailed,
} from '@llm-eval/engine'
import { limits, type RunTask } from '@llm-eval/protocol'
import * as z from 'zod'
import { Turns } from './turns.ts'

/** What tasks ask with. */
export interface TaskTools {
  /** Null where no provider is configured. */
  models: Models | null
  /** Goes to whatever address a project named: hand in a guarded one. */
  fetch: typeof globalThis.fetch
  /** What is wrong with an address, as far as that shows without asking anybody. */
  addressFault: (url: string) => string | undefined
  /** In which models are asked: by all runs of the process together. */
  turns: Turns
  /** Milliseconds of a clock that nobody sets back. */
  clock: () => number
}

/** The tools of a server that reaches only the addresses that are allowed. */
export function createTaskTools(
  models: Models | undefined,
  { allows, judgeConcurrency }: { allows: AddressCheck; judgeConcurrency: number },
): TaskTools {
  return {
    models: models ?? null,
    fetch: guardedFetch({ allows }),
    addressFault: (url) => addressFault(url, allows),
    turns: new Turns(judgeConcurrency),
    clock: () => performance.now(),
  }
}

/** Makes what answers the cases of a task. */
export function answererOf(task: RunTask, tools: TaskTools): Answerer {
  switch (task.kind) {
    case 'outputs':
      return ({ case: { values = {} } }) => fromColumn(values, task.column)
    case 'http':
      return (ask) => askEndpoint(task, ask, tools.fetch)
    case 'prompt':
      return (ask) => tools.turns.take(ask.signal, () => askModel(task, ask, tools))
    case 'client':
      throw new TypeError('a client answers for itself')
  }
}

function fromColumn(values: Readonly<Record<string, unknown>>, column: string): RunAnswer {
  const output = Object.hasOwn(values, column) ? values[column] : null
  if (output !== undefined && output !== null) return { output, cost: 0, responseTimeMs: null }
  throw new TaskFailed(`The case has no value in the column ${column}.`, { cost: 0, retry: false })
}

type HttpTask = Extract<RunTask, { kind: 'http' }>

/** What an endpoint says beside its output; what is no such thing is unknown. */
const told = z.looseObject({
  output: z.unknown(),
  tokens: z.int().min(0).max(limits.countMax).nullish().catch(null),
  cost: z.number().min(0).max(limits.costMax).nullish().catch(null),
  trace_id: z.string().min(1).max(limits.nameChars).nullish().catch(null),
})

async function askEndpoint(task: HttpTask, ask: Ask, fetch: typeof globalThis.fetch): Promise<RunAnswer> {
  const { host } = new URL(task.url)
  const body = JSON.stringify({ input: ask.case.input, case_id: ask.case.id, repetition: ask.repetition })
  const usual = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'llm-eval' }
  const headers = new Headers(usual)
  for (const [name, value] of Object.entries(task.headers ?? {})) headers.set(name, value)
  const answer = await fetch(task.url, {
    method: 'POST',
    headers,
    body,
    redirect: 'manual',
    signal: ask.signal,
  })
  const text = await textOf(answer)
  if (!answer.ok) {
    const retry = answer.status >= 500 || answer.status === 429 || answer.status === 408
    const led = answer.status >= 300 && answer.status < 400 ? ' Redirects are not followed.' : ''
    throw new TaskFailed(`${host} answered with status ${answer.status}.${led}`, {
      retry,
      afterMs: afterMsOf(answer.headers),
    })
  }
  // What is cut is no JSON any more, and too large to be kept in any case.
  if (text.cut) return { output: text.text }
  return outputOf(text.text, task.output, host)
}

/** Milliseconds that an endpoint wants to be left alone: seconds, or a time by its own clock. */
function afterMsOf(headers: Headers): number | null {
  const told = headers.get('retry-after')?.trim() ?? ''
  if (/^[0-9]{1,9}(\.[0-9]{1,9})?$/.test(told)) return Number(told) * 1_000
  const ms = Date.parse(told) - Date.parse(headers.get('date') ?? '')
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}

function outputOf(text: string, path: string | undefined, host: string): RunAnswer {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    if (path === undefined) return { output: text }
    throw new TaskFailed(`${host} answered with no JSON.`, { retry: false })
  }
  if (path === undefined) {
    const answer = told.safeParse(json)
    if (!answer.success || !('output' in answer.data)) return { output: json }
    const { output, tokens, cost, trace_id: traceId } = answer.data
    return { output, tokens, cost, traceId }
  }
  let found = json
  for (const part of path.split('.')) {
    const holds = typeof found === 'object' && found !== null && Object.hasOwn(found, part)
    if (!holds) throw new TaskFailed(`The answer of ${host} has no ${path}.`, { retry: false })
    found = (found as Record<string, unknown>)[part]
  }
  return { output: found }
}

/** Reads an answer, but no more of it than an output may be large. */
async function textOf(answer: Response): Promise<{ text: string; cut: boolean }> {
  const decoder = new TextDecoder()
  let text = ''
  let come = 0
  for await (const chunk of answer.body ?? []) {
    come += chunk.byteLength
    text += decoder.decode(chunk, { stream: true })
    if (come > 2 * limits.runOutputBytes) return { text, cut: true }
  }
  return { text: text + decoder.decode(), cut: false }
}

type PromptTask = Extract<RunTask, { kind: 'prompt' }>

async function askModel(
  { template, system, model }: PromptTask,
  ask: Ask,
  { models, clock }: Pick<TaskTools, 'models' | 'clock'>,
): Promise<RunAnswer> {
  if (models === null) throw new TaskFailed('No provider of models is configured.', { cost: 0, retry: false })
  const { case: one, signal } = ask
  const places = { ...one.values, input: one.input }
  const messages = [
    ...(system === undefined ? [] : [{ role: 'system' as const, content: fill(system, places) }]),
    { role: 'user' as const, content: fill(template, places) },
  ]
  // Other runs that it waited for are none of the model's time.
  const began = clock()
  const { text, usage } = await models.complete({ model: model ?? null, messages, signal }).catch(toFailure)
  const { input_tokens: read, output_tokens: written } = usage
  const tokens = read === null || written === null ? null : read + written
  return { output: text, tokens, cost: usage.cost, responseTimeMs: Math.round(clock() - began) }
}

/** What brought no answer may have cost something all the same; where nothing was consumed it did not. */
function toFailure(error: unknown): never {
  if (error instanceof NoScore) throw new TaskFailed(error.message, { cost: error.usage ? error.usage.cost : 0 })
  throw error
}

/** Puts values into the `{{places}}` of a template, however those are spelled; a place of which the case says nothing becomes empty. */
function fill(template: string, values: Readonly<Record<string, unknown>>): string {
  const spelled = new Map(Object.keys(values).map((name) => [folded(name), name]))
  return template.replace(/\{\{\s*([^{}]+?)\s*\}\}/g, (_place, name: string) => {
    const known = Object.hasOwn(values, name) ? name : spelled.get(folded(name))
    const value = known === undefined ? null : values[known]
    return typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value)
  })
}
