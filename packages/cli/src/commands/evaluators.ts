import { type Calibration, evaluationRoutes, type Field, type Interval } from '@llm-eval/protocol'
import { calibration, evaluatorDetail, evaluatorList, evaluatorVersions } from '@llm-eval/protocol/evaluation-schemas'
import * as z from 'zod'
import { count, localTime } from '../display/amounts.ts'
import { type Column, facts, table } from '../display/table.ts'
import { oneLine, safeJson } from '../display/width.ts'
import { ask, givenOnly, readAnswer } from '../http.ts'
import { findTarget, type GlobalOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

type Detail = z.infer<typeof evaluatorDetail>

/** Options of `llm-eval evaluators list`. */
export interface EvaluatorListOptions extends GlobalOptions {
  kind?: string
  category?: string
  source?: string
  search?: string
  json?: boolean
}

/** `llm-eval evaluators list`. */
export async function listEvaluators(terminal: Terminal, options: EvaluatorListOptions): Promise<void> {
  const { out, err, signal } = terminal
  const target = await findTarget(terminal, options)
  const { kind, category, source, search } = options
  const query = givenOnly({ kind, category, source, q: search })
  const answer = await ask(target, { route: evaluationRoutes.listEvaluators, query, signal })
  const { items } = await readAnswer(answer, evaluatorList)
  if (options.json) {
    for (const item of items) out.line(safeJson(JSON.stringify(item)))
    return
  }
  if (items.length === 0) return err.line('No evaluator fits.')
  const columns = [
    { title: 'EVALUATOR', max: 40 },
    { title: 'KIND' },
    { title: 'CATEGORY' },
    { title: 'NEEDS', max: 32 },
    { title: 'WHAT IT IS' },
  ]
  const rows = items.map((item) => [
    oneLine(item.slug),
    item.kind,
    item.category,
    item.needs.join(', '),
    oneLine(item.description === '' ? item.name : item.description),
  ])
  for (const line of table(out, columns, rows)) out.line(line)
}

/** `llm-eval evaluators show`: one evaluator with its fields, versions and calibration. */
export async function showEvaluator(
  terminal: Terminal,
  slug: string,
  options: GlobalOptions & { json?: boolean },
): Promise<void> {
  const { out, signal } = terminal
  const target = await findTarget(terminal, options)
  const get = async <T>(name: 'getEvaluator' | 'listEvaluatorVersions' | 'getCalibration', schema: z.ZodType<T>) =>
    readAnswer(await ask(target, { route: evaluationRoutes[name], values: { slug }, signal }), schema)
  const shown = await get('getEvaluator', evaluatorDetail)
  const { items: versions } = await get('listEvaluatorVersions', evaluatorVersions)
  const measured = shown.calibrated_at === null ? null : await get('getCalibration', calibration)
  if (options.json) return out.line(safeJson(JSON.stringify({ ...shown, versions, calibration: measured })))
  for (const line of facts(out, headOf(shown, measured))) out.line(line)
  const config = configRows(shown.config_schema)
  print(terminal, 'INPUT', shown.input_schema.map(fieldRow))
  print(terminal, 'CONFIG', config)
  print(terminal, 'OUTPUT', shown.output_schema.map(fieldRow))
  if (versions.length > 1 || shown.source === 'custom') {
    const rows = versions.map(({ version, created_at }) => [version, created_at === null ? '-' : localTime(created_at)])
    out.line()
    for (const line of table(out, [{ title: 'VERSION' }, { title: 'SINCE' }], rows)) out.line(line)
  }
  if (shown.definition) out.line(`\n${out.paint('bold', 'DEFINITION')}\n${pretty(shown.definition)}`)
  if (shown.example) out.line(`\n${out.paint('bold', 'EXAMPLE')}\n${exampleOf(shown)}`)
}

const providers = { none: '', chat: 'a language model', embedding: 'an embedding model' }

function headOf(shown: Detail, measured: Calibration | null): [string, string][] {
  const { min, max } = shown.range
  const direction =
    shown.direction === null ? '' : shown.direction === 'higher' ? ', more is better' : ', less is better'
  const evidence = shown.needs.length === 0 ? '' : `${shown.needs.join(', ')} of a trace`
  const needs = [evidence, providers[shown.provider]].filter((need) => need !== '')
  return [
    ['evaluator', oneLine(shown.slug)],
    ['name', oneLine(shown.name)],
    ['what', oneLine(shown.description)],
    ['kind', `${shown.kind}, ${shown.source}, ${shown.category}`],
    ['also', shown.aliases.map(oneLine).join(', ')],
    ['needs', needs.length === 0 ? 'its input' : needs.join('; ')],
    ['value', `${min ?? '-∞'} to ${max ?? '∞'}${direction}`],
    ['version', `${shown.version}${shown.pinned ? '' : ' (declares none: cannot be calibrated)'}`],
    ...calibrationFacts(measured),
  ].filter((pair): pair is [string, string] => pair[1] !== '')
}

const stateWords: Record<Calibration['state'], string> = {
  current: 'current',
  expired: 'expired: the evaluator changed since',
  drifted: 'drifted: another model answers now',
  not_pinned: 'void: the evaluator declares no version',
}

function calibrationFacts(measured: Calibration | null): [string, string][] {
  if (measured === null) return [['calibrated', 'never']]
  const { state, made_at, n, agreement, kappa, raw_rate: raw, corrected_rate: corrected } = measured
  const facts: [string, string][] = [['calibrated', `${stateWords[state]}, ${localTime(made_at)}, ${count(n)} traces`]]
  if (agreement) facts.push(['agreement', interval(agreement)])
  if (kappa) facts.push(['kappa', interval(kappa)])
  if (raw) facts.push(['passes', `${interval(raw)}${corrected ? `; corrected ${interval(corrected)}` : ''}`])
  return facts
}

function interval({ estimate, low, high }: Interval): string {
  return `${estimate.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
}

function print({ out }: Terminal, title: string, rows: string[][]): void {
  if (rows.length === 0) return
  const columns: Column[] = [
    { title, max: 40 },
    { title: 'TYPE' },
    { title: '', max: 24 },
    { title: 'WHAT IT IS', wraps: true },
  ]
  out.line()
  for (const line of table(out, columns, rows)) out.line(line)
}

function fieldRow({ name, type, description, required, enum_values: values = [] }: Field): string[] {
  return [oneLine(name), type, required ? '' : 'optional', described(description, values)]
}

function described(description: string, choices: readonly unknown[]): string {
  const one = choices.length === 0 ? '' : `One of ${choices.map(String).join(', ')}.`
  return oneLine([description, one].filter((part) => part !== '').join(' '))
}

const member = z.looseObject({
  type: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.looseObject({ type: z.unknown().optional() })).optional(),
  description: z.string().default(''),
  default: z.unknown().optional(),
})
const objectSchema = z.looseObject({
  properties: z.record(z.string(), member).default({}),
  required: z.array(z.string()).default([]),
})

/** The members of a configuration, of its JSON Schema. */
function configRows(schema: Record<string, unknown>): string[][] {
  const { properties, required } = objectSchema.parse(schema)
  return Object.entries(properties).map(([name, one]) => {
    const types = one.anyOf?.map(({ type }) => type ?? 'any') ?? [one.type ?? 'any'].flat()
    const standard = one.default === undefined ? 'optional' : `= ${JSON.stringify(one.default)}`
    return [
      oneLine(name),
      oneLine(one.enum ? 'enum' : types.map(String).join(', ')),
      required.includes(name) ? '' : oneLine(standard),
      described(one.description, one.enum ?? []),
    ]
  })
}

/** The example as a command to copy. */
function exampleOf({ slug, example }: Detail): string {
  if (example === null) return ''
  const words = (flag: string, members: Record<string, unknown>) =>
    Object.entries(members).map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      return `${flag} ${quoted(`${name}=${text}`)}`
    })
  const command = ['llm-eval evaluators run', slug, ...words('-i', example.input), ...words('-s', example.config ?? {})]
  return `  ${safeJson(command.join(' '))}`
}

/** A word as a POSIX shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

function pretty(value: unknown): string {
  return safeJson(JSON.stringify(value, null, 2).replace(/^/gm, '  '))
}
