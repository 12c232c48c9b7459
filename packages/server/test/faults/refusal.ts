import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import type { TracePage } from '@llm-eval/protocol'
import { auditFile, auditServer, auditTraces, getJson } from './audit.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { complaint, type Operation, TraceMix } from './trace-mix.ts'
import { Wire, type WireAnswer } from './wire.ts'

/** What came of a database that takes no writes for a while. */
export interface RefusalReport {
  /** Everything that should not be; empty when every promise was kept. */
  faults: string[]
  /** Requests answered 503. */
  refused: number
  traces: number
}

export interface RefusalOptions {
  data: string
  connections: number
  /** Requests before the fault, and the most before the disk must have been full. */
  requests: number
  seed: number
}

interface Fault {
  options: RefusalOptions
  server: ServerProcess
  mix: TraceMix
  report: RefusalReport
}

/**
 * Another program holds the database's lock: writes are answered 503 and store nothing, reads go on, and once it lets go
 * the same requests are answered as if they had never been sent.
 */
export async function lockDatabase(options: RefusalOptions): Promise<RefusalReport> {
  const server = await startServerProcess({ data: options.data })
  const fault: Fault = { options, server, mix: new TraceMix(options.seed), report: emptyReport() }
  await work(fault, options.requests)
  const other = new DatabaseSync(join(options.data, 'llm-eval.db'), { timeout: 5_000 })
  other.exec('BEGIN IMMEDIATE')
  const refused = work(fault, options.connections)
  await expectReads(fault)
  const { lost, taken } = await refused
  // What is no trace is refused without asking the database.
  for (const { kind } of taken.filter((operation) => operation.kind !== 'invalid'))
    fault.report.faults.push(`${kind} was answered as if the database were not locked`)
  other.exec('ROLLBACK')
  other.close()
  await sendAgain(fault, lost)
  return finish(fault)
}

/**
 * The database may grow no further: writes are answered 503 and store nothing, everything acknowledged stays readable, and
 * a server with more room stores what was refused.
 */
export async function fillDatabase(options: RefusalOptions & { maxPages: number }): Promise<RefusalReport> {
  const fault = await fill(options)
  const { faults } = fault.report
  const { lost } = await work(fault, options.requests)
  if (lost.length < options.connections) faults.push(`only ${lost.length} requests found the disk full`)
  faults.push(...(await auditTraces(fault.server.url, fault.mix.acknowledged)).faults)
  await expectReads(fault)
  await stopCleanly(fault)
  const server = await startServerProcess({ data: options.data })
  const roomy = { ...fault, server }
  await sendAgain(roomy, lost)
  return finish(roomy)
}

async function fill(options: RefusalOptions & { maxPages?: number }): Promise<Fault> {
  const { data, maxPages } = options
  const server = await startServerProcess({ data, ...(maxPages === undefined ? {} : { maxPages }) })
  return { options, server, mix: new TraceMix(options.seed), report: emptyReport() }
}

/**
 * The same with a file system that is really full (a tmpfs, which only root may make; undefined where that is refused), and
 * without a restart: once there is room again, the same server goes on.
 */
export async function fillFileSystem(options: RefusalOptions): Promise<RefusalReport | undefined> {
  const run = promisify(execFile)
  await mkdir(options.data, { recursive: true })
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', options.data]).catch(() => undefined)
  if (!mounted) return undefined
  try {
    const filler = join(options.data, 'filler')
    await writeFile(filler, Buffer.alloc(48 * 1024 * 1024))
    const fault = await fill({ ...options, data: join(options.data, 'store') })
    const { lost } = await work(fault, options.requests)
    if (lost.length < options.connections) fault.report.faults.push(`only ${lost.length} requests found the disk full`)
    fault.report.faults.push(...(await auditTraces(fault.server.url, fault.mix.acknowledged)).faults)
    await rm(filler)
    await sendAgain(fault, lost)
    return await finish(fault)
  } finally {
    await run('umount', [options.data])
  }
}

/** Sends mixed work; returns what was answered 503, and what otherwise. Each connection ends with its first 503. */
async function work(
  { options, server, mix, report }: Fault,
  requests: number,
): Promise<{ lost: Operation[]; taken: Operation[] }> {
  const lost: Operation[] = []
  const taken: Operation[] = []
  let sent = 0
  const worker = async () => {
    const wire = await Wire.connect(server.port)
    while (sent < requests) {
      sent++
      const operation = mix.next()
      const answer = await wire.send(operation.request)
      if (answer.status === 503) {
        const fault = unlikeRefusal(answer)
        if (fault) report.faults.push(fault)
        report.refused++
        lost.push(operation)
        break
      }
      taken.push(operation)
      settle({ mix, report }, operation, answer)
    }
    wire.close()
  }
  await Promise.all(Array.from({ length: options.connections }, worker))
  return { lost, taken }
}

function settle({ mix, report }: Pick<Fault, 'mix' | 'report'>, operation: Operation, answer: WireAnswer): void {
  const fault = complaint(operation, answer)
  if (fault) report.faults.push(fault)
  mix.acknowledge(operation)
}

function unlikeRefusal({ body, retryAfter }: WireAnswer): string | undefined {
  const { code } = JSON.parse(body.toString()) as { code?: string }
  if (code !== 'storage_unavailable' && code !== 'overloaded') return `503 with the code ${code}`
  return retryAfter === undefined || retryAfter < 1 ? '503 without a Retry-After' : undefined
}

/** Nothing of a refused request was stored, so sent again it is new. */
async function sendAgain({ server, mix, report }: Fault, lost: Operation[]): Promise<void> {
  const wire = await Wire.connect(server.port)
  for (const operation of lost) settle({ mix, report }, operation, await wire.send(operation.request))
  wire.close()
}

async function expectReads({ server, mix }: Fault): Promise<void> {
  const { items } = await getJson<TracePage>(`${server.url}/api/v1/traces?limit=1`)
  await getJson(`${server.url}/api/v1/traces/${items[0]?.trace_id ?? mix.acknowledged.traceIds[0]}`)
  await getJson(`${server.url}/api/v1/metrics`)
  await getJson(`${server.url}/health`)
}

async function finish(fault: Fault): Promise<RefusalReport> {
  const { server, mix, report } = fault
  report.faults.push(...(await auditServer(server.url, mix.acknowledged)))
  report.traces = mix.acknowledged.traceIds.length
  await stopCleanly(fault)
  return report
}

async function stopCleanly({ options, server, report }: Fault): Promise<void> {
  const code = await server.stop()
  if (code !== 0) report.faults.push(`the server ended with code ${code} when it was asked to stop`)
  report.faults.push(...auditFile(join(options.data, 'llm-eval.db')))
}

function emptyReport(): RefusalReport {
  return { faults: [], refused: 0, traces: 0 }
}
