import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Baseline, limits, type Quarantine } from '@llm-eval/protocol'
import { baselineSchema, quarantineSchema } from '@llm-eval/protocol/agent-schemas'
import * as z from 'zod'
import { Complaint, systemCode } from '../complaint.ts'
import { oneLine } from '../display/width.ts'

/** Variants of one case beside the default. */
const variantsMax = 10

const quarantineFile = 'quarantine.json'

/** What was accepted, by the id of its case. */
export type Baselines = ReadonlyMap<string, readonly Baseline[]>

/**
 * Reads what was accepted: one JSON file for each case and variant.
 *
 * @throws {Complaint} for a file that is none: what cannot be read is never taken as accepted
 */
export async function readBaselines(folder: string): Promise<Baselines> {
  const found = new Map<string, Baseline[]>()
  for (const name of await namesIn(folder)) {
    if (!name.endsWith('.baseline.json')) continue
    const path = join(folder, name)
    const read = baselineSchema.safeParse(jsonIn(await readFile(path, 'utf8'), path))
    if (!read.success) throw new Complaint(`${path} is no baseline: ${oneLine(z.prettifyError(read.error))}`)
    found.set(read.data.case_id, [...(found.get(read.data.case_id) ?? []), read.data])
  }
  return found
}

/** Writes what is accepted from now on, in place of the same variant; a reader meets the old file or the new one, whole. */
export async function writeBaseline(folder: string, baseline: Baseline): Promise<string> {
  const known = (await readBaselines(folder)).get(baseline.case_id) ?? []
  const isNew = known.every(({ variant }) => variant !== baseline.variant)
  if (isNew && known.length > variantsMax)
    throw new Complaint(`${baseline.name} has ${known.length} variants already: accept one of them anew.`)
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${baseline.case_id}.${baseline.variant}.baseline.json`)
  await writeFile(`${path}.new`, `${JSON.stringify(baseline, null, 2)}\n`)
  await rename(`${path}.new`, path)
  return path
}

/** Reads which cases are in quarantine; each has an owner, a reason and an end. */
export async function readQuarantine(folder: string): Promise<ReadonlyMap<string, Quarantine>> {
  const path = join(folder, quarantineFile)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return new Map()
    throw error
  }
  const read = z.array(quarantineSchema).safeParse(jsonIn(text, path))
  if (!read.success) throw new Complaint(`${path} is not valid: ${oneLine(z.prettifyError(read.error))}`)
  const found = new Map(read.data.map((one) => [one.case_id, one]))
  const twin = read.data.find((one) => found.get(one.case_id) !== one)
  if (twin) throw new Complaint(`${path} holds ${oneLine(twin.case_id)} twice: keep the one that is meant.`)
  return found
}

const dayMs = 86_400_000

/**
 * Reads which cases are in quarantine, for a gate.
 *
 * @param now milliseconds since 1970
 * @throws {Complaint} where one lasts longer than any may, as only one that was written by hand can
 */
export async function quarantineInForce(folder: string, now: number): Promise<ReadonlyMap<string, Quarantine>> {
  const all = await readQuarantine(folder)
  // Clocks of those who write it and those who check may differ.
  const latest = now + (limits.agentQuarantineDays + 1) * dayMs
  const endless = [...all.values()].find(({ expires_at }) => Date.parse(expires_at) > latest)
  if (endless)
    throw new Complaint(
      `${join(folder, quarantineFile)} holds ${oneLine(endless.case_id)} until ${endless.expires_at}: a quarantine lasts at most ${limits.agentQuarantineDays} days.`,
    )
  return all
}

/** Writes which cases are in quarantine, by their ids, so that changes are read easily; gives the path. */
export async function writeQuarantine(folder: string, all: readonly Quarantine[]): Promise<string> {
  const path = join(folder, quarantineFile)
  await mkdir(folder, { recursive: true })
  const ordered = all.toSorted((a, b) => (a.case_id < b.case_id ? -1 : 1))
  await writeFile(`${path}.new`, `${JSON.stringify(ordered, null, 2)}\n`)
  await rename(`${path}.new`, path)
  return path
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).toSorted()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

function jsonIn(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new Complaint(`${path} is no JSON: ${error instanceof Error ? oneLine(error.message) : ''}`, { cause: error })
  }
}
