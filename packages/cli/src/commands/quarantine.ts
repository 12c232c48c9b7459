import { limits, type Quarantine, type TestCase } from '@llm-eval/protocol'
import { readQuarantine, writeQuarantine } from '../agents/baseline-files.ts'
import { openSuite, type Suite } from '../agents/suite.ts'
import { Complaint } from '../complaint.ts'
import { localTime } from '../display/amounts.ts'
import { table } from '../display/table.ts'
import { oneLine, safeJson } from '../display/width.ts'
import type { GlobalOptions, Target } from '../target.ts'
import type { Stage } from '../terminal.ts'

export interface QuarantineOptions extends GlobalOptions {
  agentConfig?: string
  /** Where it is kept: in a file beside what was accepted unless said. */
  baselines?: 'files' | 'server'
  json?: boolean
}

export interface AddOptions extends QuarantineOptions {
  owner?: string
  reason?: string
  /** RFC 3339. */
  until?: string
}

/** Days that a quarantine may last: what is broken for longer is a case to mend or to delete. */
const longestDays = limits.agentQuarantineDays
const dayMs = 86_400_000

/** `llm-eval quarantine add`: takes a case out of the gate until a day, in the open. */
export async function addQuarantine(terminal: Stage, name: string, options: AddOptions): Promise<void> {
  const { owner, reason, until } = options
  const missing = Object.entries({ owner, reason, until }).flatMap(([flag, value]) =>
    value === undefined || value.trim() === '' ? [`--${flag}`] : [],
  )
  if (missing.length > 0 || owner === undefined || reason === undefined || until === undefined)
    throw new Complaint(`A quarantine needs an owner, a reason and an end: ${missing.join(', ')} is missing.`)
  const end = Date.parse(until)
  const now = Date.now()
  if (end <= now) throw new Complaint(`${localTime(until)} is over already.`)
  if (end > now + longestDays * dayMs)
    throw new Complaint(
      `A quarantine ends within ${longestDays} days; it can be renewed. Mend or delete what is broken for longer.`,
    )
  const suite = await suiteOf(terminal, options)
  const one = caseCalled(suite, name)
  const added: Quarantine = {
    case_id: one.case_id,
    owner: owner.trim(),
    reason: reason.trim(),
    expires_at: new Date(end).toISOString(),
  }
  const then = await keep(terminal, options, { suite, added })
  if (options.json) return terminal.out.line(safeJson(JSON.stringify(added)))
  terminal.out.line(`${oneLine(one.name)} does not count until ${localTime(added.expires_at)}. ${then}`)
  terminal.out.line('A forbidden tool blocks nevertheless.')
  terminal.out.line(nextOf(options))
}

/** Keeps it where it is wished, and says what is left to do. */
async function keep(
  terminal: Stage,
  options: QuarantineOptions,
  { suite, added }: { suite: Suite; added: Quarantine },
): Promise<string> {
  if (options.baselines === 'server') {
    const target = await serverOf(terminal, options)
    await (await import('../agents/server-quarantine.ts')).quarantineOnServer(target, suite.name, added)
    return `${target.url} keeps it.`
  }
  const known = await readQuarantine(suite.baselines)
  const path = await writeQuarantine(suite.baselines, [...others(known, added.case_id), added])
  return `Commit ${path}.`
}

async function serverOf(terminal: Stage, options: QuarantineOptions): Promise<Target> {
  return (await (await import('../place.ts')).openPlace(terminal, options)).target
}

function nextOf({ baselines }: QuarantineOptions): string {
  return `Next: llm-eval check${baselines === 'server' ? ' --baselines server' : ''}`
}

/** What is in quarantine where it is kept; of a server, of the cases of this suite. */
async function quarantineOf(
  terminal: Stage,
  options: QuarantineOptions,
  suite: Suite,
): Promise<ReadonlyMap<string, Quarantine>> {
  if (options.baselines !== 'server') return readQuarantine(suite.baselines)
  const { readServerBaselines } = await import('../agents/server-baselines.ts')
  return (await readServerBaselines(terminal, await serverOf(terminal, options), suite)).quarantine
}

/** `llm-eval quarantine list`: which cases do not count, whose they are, and until when. */
export async function listQuarantine(terminal: Stage, options: QuarantineOptions): Promise<void> {
  const suite = await suiteOf(terminal, options)
  const known = [...(await quarantineOf(terminal, options, suite)).values()]
  const now = Date.now()
  const told = known.map((one) => ({ ...one, name: nameOf(suite, one), over: Date.parse(one.expires_at) <= now }))
  if (options.json) return terminal.out.line(safeJson(JSON.stringify(told)))
  if (told.length === 0) return terminal.out.line('No case is in quarantine.')
  const columns = [
    { title: 'CASE', max: 48 },
    { title: 'OWNER', max: 24 },
    { title: 'UNTIL' },
    { title: 'REASON', wraps: true },
  ]
  const rows = told.map(({ name, owner, reason, expires_at: until, over }) => [
    oneLine(name ?? 'a case that is gone'),
    oneLine(owner),
    over ? `${localTime(until)}, over` : localTime(until),
    oneLine(reason),
  ])
  for (const line of table(terminal.out, columns, rows)) terminal.out.line(line)
}

/** `llm-eval quarantine remove`: the case counts again. */
export async function removeQuarantine(terminal: Stage, name: string, options: QuarantineOptions): Promise<void> {
  const suite = await suiteOf(terminal, options)
  const id = await takeOut(terminal, options, { suite, name })
  if (options.json) return terminal.out.line(safeJson(JSON.stringify({ case_id: id })))
  terminal.out.line(`${oneLine(name)} counts again.`)
  terminal.out.line(nextOf(options))
}

async function takeOut(
  terminal: Stage,
  options: QuarantineOptions,
  { suite, name }: { suite: Suite; name: string },
): Promise<string> {
  if (options.baselines === 'server') {
    const caseId = caseCalled(suite, name).case_id
    const { endQuarantineOnServer } = await import('../agents/server-quarantine.ts')
    await endQuarantineOnServer(await serverOf(terminal, options), { suite: suite.name, caseId })
    return caseId
  }
  const known = await readQuarantine(suite.baselines)
  // A case that is gone is called by its id.
  const id = known.has(name) ? name : caseCalled(suite, name).case_id
  if (!known.has(id)) throw new Complaint(`${oneLine(name)} is not in quarantine.`)
  await writeQuarantine(suite.baselines, others(known, id))
  return id
}

function suiteOf(terminal: Stage, { agentConfig }: QuarantineOptions): Promise<Suite> {
  return openSuite(terminal, { paths: [], settingsFile: agentConfig, tests: [], tags: [] })
}

function caseCalled({ cases }: Suite, name: string): TestCase {
  const found = cases.find((one) => one.name === name || one.case_id === name)
  if (found) return found
  const names = cases.slice(0, 10).map((one) => oneLine(one.name))
  throw new Complaint(
    `There is no case called ${oneLine(name)}. There are: ${names.join(', ')}${cases.length > 10 ? ', …' : ''}.`,
  )
}

function nameOf({ cases }: Suite, { case_id: id }: Quarantine): string | null {
  return cases.find((one) => one.case_id === id)?.name ?? null
}

function others(known: ReadonlyMap<string, Quarantine>, id: string): Quarantine[] {
  return [...known.values()].filter(({ case_id: other }) => other !== id)
}
