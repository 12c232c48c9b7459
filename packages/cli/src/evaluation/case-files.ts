import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { Complaint, fileComplaint } from '../complaint.ts'
import { bytes } from '../display/amounts.ts'
import { oneLine } from '../display/width.ts'

const formats = { '.jsonl': 'jsonl', '.ndjson': 'jsonl', '.json': 'json', '.csv': 'csv' } as const
type Format = (typeof formats)[keyof typeof formats]

/** Larger files are read while they are evaluated, and nobody knows before how many cases they hold. */
const wholeBytes = 64 * 1024 * 1024

/** A dataset that is a file. */
export interface CaseFile {
  path: string
  format: Format
  /** What the dataset is called. */
  name: string
}

/** The file that a dataset names; undefined where it names a dataset of the server. */
export function caseFileOf(dataset: string, evaluationFile: string): CaseFile | undefined {
  const format = Object.entries(formats).find(([ending]) => extname(dataset).toLowerCase() === ending)?.[1]
  return format && { path: resolve(dirname(evaluationFile), dataset), format, name: basename(dataset) }
}

/**
 * The cases of a file: a list where the file is small enough to be held, else one after the other.
 *
 * @throws {Complaint} for a file that is not there, and for one that is small and broken
 */
export async function casesIn(file: CaseFile): Promise<unknown[] | AsyncIterable<unknown>> {
  const size = await sizeOf(file)
  if (file.format === 'json') return wholeJson(file, size)
  const rows = file.format === 'csv' ? csvRows(file) : jsonLines(file)
  if (size > wholeBytes) return rows
  const all: unknown[] = []
  for await (const row of rows) all.push(row)
  return all
}

async function sizeOf({ path }: CaseFile): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    throw fileComplaint(`The dataset ${path} cannot be read`, error)
  }
}

async function wholeJson({ path }: CaseFile, size: number): Promise<unknown[]> {
  if (size > wholeBytes)
    throw new Complaint(`The dataset ${path} is larger than ${bytes(wholeBytes)}: write it as .jsonl, one case a line.`)
  const value = parsed(await readFile(path, 'utf8').catch(asComplaint(path)), path)
  if (Array.isArray(value)) return value
  throw new Complaint(`The dataset ${path} must hold a JSON array of cases.`)
}

async function* jsonLines({ path }: CaseFile): AsyncGenerator<unknown> {
  const stream = createReadStream(path, 'utf8')
  let line = 0
  try {
    for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      line++
      if (text.trim() !== '') yield parsed(text, `${path}, line ${line}`)
    }
  } catch (error) {
    throw error instanceof Complaint ? error : fileComplaint(`The dataset ${path} cannot be read`, error)
  } finally {
    stream.destroy()
  }
}

function parsed(text: string, place: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown
  } catch (error) {
    throw new Complaint(`The dataset ${place} holds no JSON: ${oneLine(error instanceof Error ? error.message : '')}.`)
  }
}

/** Cells are text, empty ones null: as a spreadsheet shows them. */
async function* csvRows({ path }: CaseFile): AsyncGenerator<unknown> {
  const { readCsv } = await import('@llm-eval/server')
  const stream = createReadStream(path)
  try {
    for await (const entry of readCsv(stream)) {
      if ('row' in entry) yield entry.row
      else if (!('header' in entry))
        throw new Complaint(
          `The dataset ${path}, line ${entry.line}: ${'error' in entry ? entry.error : entry.broken}.`,
        )
    }
  } catch (error) {
    throw error instanceof Complaint ? error : asComplaint(path)(error)
  } finally {
    stream.destroy()
  }
}

function asComplaint(path: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof Error && error.name === 'Failure' && 'errors' in error)
      throw new Complaint(`The dataset ${path} cannot be read: ${oneLine(error.message)}`, { cause: error })
    throw fileComplaint(`The dataset ${path} cannot be read`, error)
  }
}
