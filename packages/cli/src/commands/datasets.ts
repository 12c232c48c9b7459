import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { type Dataset, datasetRoutes, type ImportReport } from '@llm-eval/protocol'
import {
  dataset,
  datasetList,
  type FileFormat,
  fileFormats,
  importReport,
  published,
  versionList,
} from '@llm-eval/protocol/dataset-schemas'
import { Complaint, exitCodes, fileComplaint } from '../complaint.ts'
import { bytes, count, duration, localTime } from '../display/amounts.ts'
import { ProgressBar } from '../display/progress.ts'
import { facts, table } from '../display/table.ts'
import { oneLine, safeJson } from '../display/width.ts'
import { type OutputOptions, outputPath, RowCounter, saveAnswer } from '../download.ts'
import { ask, readAnswer } from '../http.ts'
import { findTarget, type GlobalOptions, type Target } from '../target.ts'
import type { Terminal } from '../terminal.ts'

type Shown = GlobalOptions & { json?: boolean }

/** `llm-eval datasets list`. */
export async function listDatasets(terminal: Terminal, options: Shown): Promise<void> {
  const { out, err } = terminal
  const items = await allDatasets(await findTarget(terminal, options), terminal)
  if (options.json) {
    for (const item of items) out.line(safeJson(JSON.stringify(item)))
    return
  }
  if (items.length === 0) return err.line('There is no dataset. `llm-eval datasets import FILE` makes one.')
  const columns = [
    { title: 'DATASET', max: 40 },
    { title: 'ROWS', align: 'right' as const },
    { title: 'VERSION' },
    { title: 'CHANGED' },
    { title: 'COLUMNS' },
  ]
  const rows = items.map((item) => [
    oneLine(item.slug),
    count(item.total_rows),
    oneLine(item.last_version ?? 'none'),
    item.changed ? 'yes' : 'no',
    oneLine(item.columns.map(({ slug }) => slug).join(', ')),
  ])
  for (const line of table(out, columns, rows)) out.line(line)
}

async function allDatasets(target: Target, { signal }: Terminal): Promise<Dataset[]> {
  return (await readAnswer(await ask(target, { route: datasetRoutes.listDatasets, signal }), datasetList)).items
}

/** `llm-eval datasets show`: one dataset, its columns and its versions. */
export async function showDataset(terminal: Terminal, key: string, options: Shown): Promise<void> {
  const { out, signal } = terminal
  const target = await findTarget(terminal, options)
  const values = { dataset: key }
  const shown = await readAnswer(await ask(target, { route: datasetRoutes.getDataset, values, signal }), dataset)
  const told = await ask(target, { route: datasetRoutes.listVersions, values, signal })
  const { items: versions } = await readAnswer(told, versionList)
  if (options.json) return out.line(safeJson(JSON.stringify({ ...shown, versions })))
  const pairs: [string, string][] = [
    ['dataset', oneLine(shown.slug)],
    ['name', oneLine(shown.name)],
    ['id', shown.id],
    ['rows', count(shown.total_rows)],
    ['changed', shown.changed ? 'yes: the draft differs from the newest version' : 'no'],
    ['updated', localTime(shown.updated_at)],
  ]
  for (const line of facts(out, pairs)) out.line(line)
  out.line()
  const columnRows = shown.columns.map(({ slug, type, name }) => [oneLine(slug), type, oneLine(name)])
  for (const line of table(out, [{ title: 'COLUMN', max: 40 }, { title: 'TYPE' }, { title: 'NAME' }], columnRows))
    out.line(line)
  if (versions.length === 0) return
  out.line()
  const versionRows = versions.map(({ version, rows, erased, published_at }) => [
    oneLine(version),
    count(rows),
    count(erased),
    localTime(published_at),
  ])
  const titles = ['VERSION', 'ROWS', 'ERASED', 'PUBLISHED']
  for (const line of table(
    out,
    titles.map((title) => ({ title })),
    versionRows,
  ))
    out.line(line)
}

/** Options of `llm-eval datasets import`. */
export interface ImportOptions extends Shown {
  dataset?: string
  format?: FileFormat
}

/** `llm-eval datasets import`: adds the rows of a file, or of standard input. Gives the exit code. */
export async function importRows(terminal: Terminal, input: string, options: ImportOptions): Promise<number> {
  const { err, signal } = terminal
  const file = input === '-' ? undefined : resolve(terminal.cwd, input)
  const wish = { ...options, format: options.format ?? formatOf(input) }
  if (file === undefined && options.dataset === undefined)
    throw new Complaint('Standard input has no name: say which dataset it is for with --dataset.')
  const size = file === undefined ? null : await sizeOf(file)
  const target = await findTarget(terminal, options)
  const into = await findOrMake(terminal, target, options.dataset ?? nameOf(input))
  const bar = new ProgressBar(err)
  let sent = 0
  const chunks = file === undefined ? terminal.stdin : createReadStream(file, { highWaterMark: 256 * 1024 })
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      sent += chunk.length
      bar.show({ done: sent, total: size, words: bytes(sent) })
      yield chunk
    }
  }
  try {
    const answer = await ask(target, {
      route: datasetRoutes.importRows,
      values: { dataset: into.id },
      query: { format: wish.format },
      stream: { chunks: counted(), headers: headersFor(input) },
      signal,
    })
    const report = await readAnswer(answer, importReport)
    bar.end()
    return told(terminal, report, { ...wish, ms: bar.elapsed })
  } catch (error) {
    bar.end()
    if (!signal.aborted) throw error
    err.line(`Interrupted. What was stored by then is in ${oneLine(into.slug)}.`)
    return exitCodes.interrupted
  }
}

function told({ out }: Terminal, report: ImportReport, { json, ms }: { json?: boolean; ms: number }): number {
  const code = report.refused > 0 || !report.complete ? exitCodes.failed : exitCodes.ok
  if (json) {
    out.line(safeJson(JSON.stringify(report)))
    return code
  }
  out.line(`${rowsText(report.imported)} imported into ${oneLine(report.dataset)} in ${duration(ms)}`)
  if (report.columns.length > 0) out.line(`  columns made: ${oneLine(report.columns.join(', '))}`)
  if (report.refused > 0) out.line(out.paint('red', `  refused: ${count(report.refused)}`))
  for (const { line, message } of report.errors) out.line(`  line ${line}: ${oneLine(message)}`)
  const rest = report.refused - report.errors.length
  if (rest > 0) out.line(`  and ${count(rest)} more`)
  if (!report.complete) out.line('  The rest of the file was not read.')
  return code
}

function rowsText(rows: number): string {
  return `${count(rows)} ${rows === 1 ? 'row' : 'rows'}`
}

/** The dataset of this slug or id; it is made when it is not there. */
async function findOrMake(terminal: Terminal, target: Target, key: string): Promise<Dataset> {
  const found = (await allDatasets(target, terminal)).find(({ slug, id }) => slug === key || id === key)
  if (found) return found
  const body = { name: key, slug: key }
  const answer = await ask(target, { route: datasetRoutes.createDataset, body, signal: terminal.signal })
  const made = await readAnswer(answer, dataset)
  terminal.err.line(`Made the dataset ${oneLine(made.slug)}.`)
  return made
}

const endings: Record<string, FileFormat> = {
  csv: 'csv',
  tsv: 'csv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
}

function formatOf(input: string): FileFormat {
  const format = endings[/\.(\w+)(?:\.gz)?$/.exec(input.toLowerCase())?.[1] ?? '']
  if (format !== undefined) return format
  throw new Complaint(
    `Say what ${input === '-' ? 'standard input' : oneLine(basename(input))} is: --format ${fileFormats.join('|')}`,
  )
}

/** A slug of the name of a file, without its endings. */
function nameOf(input: string): string {
  const name = basename(input)
    .replace(/\.gz$/i, '')
    .replace(/\.\w+$/, '')
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '') || 'dataset'
  )
}

function headersFor(input: string): Record<string, string> {
  const type = { 'content-type': 'application/octet-stream' }
  return /\.gz$/i.test(input) ? { ...type, 'content-encoding': 'gzip' } : type
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    const stats = await stat(path)
    if (stats.isDirectory()) throw new Complaint(`${path} is a directory. Name a file of rows.`)
    return stats.isFile() ? stats.size : null
  } catch (error) {
    if (error instanceof Complaint) throw error
    throw fileComplaint(`${path} cannot be read`, error)
  }
}

/** Options of `llm-eval datasets export`. */
export interface DatasetExportOptions extends GlobalOptions, OutputOptions {
  at?: string
  format: FileFormat
}

/** `llm-eval datasets export`: writes the rows of the draft or of a version to a file, or to standard output. */
export async function exportDataset(terminal: Terminal, key: string, options: DatasetExportOptions): Promise<number> {
  const path = outputPath(terminal, options)
  const target = await findTarget(terminal, options)
  const { format, at } = options
  const query = { format, ...(at === undefined ? {} : { version: at }) }
  const asked = { route: datasetRoutes.exportDataset, values: { dataset: key }, query, signal: terminal.signal }
  return saveAnswer(terminal, await ask(target, asked), { path, counter: new RowCounter(format, 'row') })
}

/** `llm-eval datasets publish`: makes the draft a version. */
export async function publishDataset(terminal: Terminal, key: string, options: Shown & { as?: string }): Promise<void> {
  const { out, signal } = terminal
  const target = await findTarget(terminal, options)
  const body = options.as === undefined ? {} : { version: options.as }
  const answer = await ask(target, { route: datasetRoutes.publishDataset, values: { dataset: key }, body, signal })
  const made = await readAnswer(answer, published)
  if (options.json) return out.line(safeJson(JSON.stringify(made)))
  const name = `${oneLine(made.dataset.slug)} ${oneLine(made.version)}`
  out.line(
    made.created
      ? `Published ${name}: ${rowsText(made.dataset.total_rows)}.`
      : `${name} is the draft as it stands; nothing changed since.`,
  )
}
