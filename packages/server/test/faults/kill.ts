import { join } from 'node:path'
import type { TraceDetail } from '@llm-eval/protocol'
import { auditFile, auditServer } from './audit.ts'
import { headOf, JournalFollower } from './journal-follower.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { complaint, type Operation, randomFrom, TraceMix } from './trace-mix.ts'
import { requestBytes, Wire, WireCut } from './wire.ts'

export interface KillOptions {
  /** The data directory; survives every kill. */
  data: string
  rounds: number
  /** Requests of each round; the server is killed somewhere in their middle. */
  requests: number
  connections: number
  seed: number
  /** Told after each round. */
  onRound?: (round: KillRound) => void
}

export interface KillRound {
  round: number
  answered: number
  /** Requests that were under way when the server was killed. */
  unanswered: number
  /** Of those, how many turned out to be committed. */
  committed: number
  faults: number
}

export interface KillReport {
  /** Everything that should not be; empty when every promise was kept. */
  faults: string[]
  answered: number
  unanswered: number
  committed: number
  traces: number
  events: number
  rounds: KillRound[]
}

/**
 * Kills the server with SIGKILL in the middle of mixed work, again and again on the same data, while a follower resumes
 * over all its lives. What was acknowledged must be there, whole and once; what was not may be there or not, but not half.
 */
export async function killAgainAndAgain(options: KillOptions): Promise<KillReport> {
  const mix = new TraceMix(options.seed)
  const random = randomFrom(options.seed + 1)
  const follower = new JournalFollower()
  const report: KillReport = { faults: [], answered: 0, unanswered: 0, committed: 0, traces: 0, events: 0, rounds: [] }
  let lost: Operation[] = []
  for (let round = 1; round <= options.rounds; round++) {
    const server = await startServerProcess({ data: options.data })
    const stream = await follower.connect(server.url)
    const committed = await settle({ server, mix, report }, lost)
    const killAfter = Math.floor(options.requests * (0.2 + 0.6 * random()))
    const done = await workUntilKilled({ server, mix, report }, { ...options, killAfter })
    await stream.ended
    lost = done.lost
    const told = { round, answered: done.answered, unanswered: lost.length, committed, faults: report.faults.length }
    report.rounds.push(told)
    report.answered += done.answered
    report.unanswered += lost.length
    options.onRound?.(told)
  }
  await lastLife({ options, mix, report, follower, lost })
  return report
}

interface Work {
  server: ServerProcess
  mix: TraceMix
  report: KillReport
}

async function workUntilKilled(
  { server, mix, report }: Work,
  { connections, requests, killAfter }: { connections: number; requests: number; killAfter: number },
): Promise<{ answered: number; lost: Operation[] }> {
  const lost: Operation[] = []
  let sent = 0
  let answered = 0
  let killed: Promise<void> | undefined
  const worker = async () => {
    const wire = await Wire.connect(server.port)
    while (sent < requests) {
      sent++
      const operation = mix.next()
      try {
        const answer = await wire.send(operation.request)
        const fault = complaint(operation, answer)
        if (fault) report.faults.push(fault)
        mix.acknowledge(operation)
        answered++
        if (answered === killAfter) killed = server.kill()
      } catch (error) {
        if (!(error instanceof WireCut)) throw error
        lost.push(operation)
        return
      }
    }
    wire.close()
  }
  await Promise.all(Array.from({ length: connections }, worker))
  await killed
  return { answered, lost }
}

/** Looks at what became of requests that were never answered, and sends them again, as a client would. How many had been committed. */
async function settle({ server, mix, report }: Work, lost: Operation[]): Promise<number> {
  if (lost.length === 0) return 0
  const wire = await Wire.connect(server.port)
  const read = async (traceId: string): Promise<TraceDetail | undefined> => {
    const answer = await wire.send(requestBytes('GET', `/api/v1/traces/${traceId}`))
    return answer.status === 200 ? (JSON.parse(answer.body.toString()) as TraceDetail) : undefined
  }
  let committed = 0
  for (const operation of lost) {
    const there = await countThere(operation, read)
    if (there > 0 && there < operation.creates.length)
      report.faults.push(`a batch was half stored: ${there} of ${operation.creates.length}`)
    if (there > 0 || (await isReviewed(operation, read))) committed++
    const fault = complaint(operation, await wire.send(operation.request), true)
    if (fault) report.faults.push(`sent again: ${fault}`)
    mix.acknowledge(operation)
  }
  wire.close()
  report.committed += committed
  return committed
}

type Read = (traceId: string) => Promise<TraceDetail | undefined>

async function countThere({ creates }: Operation, read: Read): Promise<number> {
  let there = 0
  for (const traceId of creates) if (await read(traceId)) there++
  return there
}

async function isReviewed({ review }: Operation, read: Read): Promise<boolean> {
  return review !== undefined && (await read(review.traceId))?.version === 1
}

async function lastLife(given: {
  options: KillOptions
  mix: TraceMix
  report: KillReport
  follower: JournalFollower
  lost: Operation[]
}): Promise<void> {
  const { options, mix, report, follower, lost } = given
  const server = await startServerProcess({ data: options.data })
  const stream = await follower.connect(server.url)
  await settle({ server, mix, report }, lost)
  report.faults.push(...(await auditServer(server.url, mix.acknowledged)))
  report.traces = mix.acknowledged.traceIds.length
  report.events = await headOf(server.url)
  await follower.reached(report.events)
  stream.end()
  await stream.ended
  report.faults.push(...follower.faults, ...compareFollower(follower, mix))
  const code = await server.stop()
  if (code !== 0) report.faults.push(`the server ended with code ${code} when it was asked to stop`)
  report.faults.push(...auditFile(join(options.data, 'llm-eval.db')))
}

/** The follower was told of every trace and verdict, once. */
function compareFollower({ created, reviewed, told, seq }: JournalFollower, { acknowledged }: TraceMix): string[] {
  const faults: string[] = []
  const { traceIds, reviews } = acknowledged
  for (const traceId of traceIds) {
    const times = created.get(traceId) ?? 0
    if (times !== 1) faults.push(`the follower was told ${times} times of ${traceId}`)
  }
  for (const { traceId, status } of reviews.values())
    if (reviewed.get(traceId) !== status) faults.push(`the follower was told ${reviewed.get(traceId)} of ${traceId}`)
  if (told.size !== seq) faults.push(`the follower was told of ${told.size} events out of ${seq}`)
  if (created.size !== traceIds.length) faults.push(`the follower was told of ${created.size} traces`)
  return faults
}
