import { setTimeout as delay } from 'node:timers/promises'
import {
  type AgentReportInput,
  agentRoutes,
  type Baseline,
  type CaseResult,
  limits,
  type Quarantine,
} from '@llm-eval/protocol'
import { agentBaseline, agentBaselineList, agentReport } from '@llm-eval/protocol/agent-test-schemas'
import { Complaint } from '../complaint.ts'
import { oneLine } from '../display/width.ts'
import { ask, readAnswer } from '../http.ts'
import { newRunId } from '../run-id.ts'
import type { Target } from '../target.ts'
import type { Stage } from '../terminal.ts'
import type { Baselines } from './baseline-files.ts'
import { testReport } from './report.ts'
import { reportBody } from './report-body.ts'
import type { Suite } from './suite.ts'

/** What cases are held against, wherever it is kept. */
export interface Accepted {
  baselines: Baselines
  quarantine: ReadonlyMap<string, Quarantine>
}

/** Requests that are under way at the same time. */
const atOnce = 8

/** Times that a server may say that it was asked too often, and seconds that each wait takes at most. */
const waitsMax = 20
const waitSeconds = 60

/** Reads what a server knows of the cases of a suite. */
export async function readServerBaselines({ signal }: Stage, server: Target, suite: Suite): Promise<Accepted> {
  const target = patient(server, signal)
  const baselines = new Map<string, readonly Baseline[]>()
  const quarantine = new Map<string, Quarantine>()
  await eachOf(suite.cases, async ({ case_id: id }) => {
    const values = { suite: suite.name, case_id: id }
    const answer = await ask(target, { route: agentRoutes.listAgentBaselines, values, signal })
    const { items, quarantine: found } = await readAnswer(answer, agentBaselineList)
    if (items.length > 0) baselines.set(id, items)
    if (found === null) return
    const { owner, reason, expires_at } = found
    quarantine.set(id, { case_id: id, owner, reason, expires_at })
  })
  return { baselines, quarantine }
}

export interface Acceptance {
  variant: string
  note: string | null
  by: string | null
  /** When the suite was asked, RFC 3339. */
  at: string
}

/**
 * Has a server accept the results that are given: it gets the report of all, and takes them from there.
 *
 * @throws {Complaint} where the server refuses
 */
export async function acceptOnServer(
  { env, signal }: Stage,
  server: Target,
  { suite, results, accepted, by, note, variant, at }: Acceptance & Snapshot,
): Promise<void> {
  if (results.length > limits.agentReportCases)
    throw new Complaint(
      `A server takes ${limits.agentReportCases} cases at once, and these are ${results.length}: choose some with --tag or by their files.`,
    )
  const target = patient(server, signal)
  const id = newRunId(suite.name)
  const body = { ...reportBody(testReport(suite, results, at), { id, env }), run_id: null }
  // What a server would get or keep in part is no example of what is right.
  const whole = new Set(body.cases.map((one) => (isKept(one) ? one.result : null)))
  const part = accepted.find((result) => !whole.has(result))
  if (part)
    throw new Complaint(
      `What came of ${oneLine(part.name)} is too much for a server to take whole: accept it into files, or fewer cases at once with --tag.`,
    )
  await readAnswer(await ask(target, { route: agentRoutes.sendAgentReport, body, signal }), agentReport)
  await eachOf(accepted, async ({ case_id }) => {
    const values = { suite: suite.name, case_id, variant }
    const wish = { report_id: id, note, by }
    await readAnswer(
      await ask(target, { route: agentRoutes.putAgentBaseline, values, body: wish, signal }),
      agentBaseline,
    )
  })
}

function isKept(one: AgentReportInput['cases'][number]): boolean {
  return one.shortened !== true && Buffer.byteLength(JSON.stringify(one)) <= limits.agentResultBytes
}

interface Snapshot {
  suite: Suite
  results: readonly CaseResult[]
  /** Those of the results that are accepted. */
  accepted: readonly CaseResult[]
}

/** Waits as long as it is told to where it asked too often: a suite may have more cases than a server answers in a minute. */
function patient(target: Target, signal: AbortSignal): Target {
  let waits = 0
  return {
    ...target,
    fetch: async (url, init) => {
      for (;;) {
        const response = await (target.fetch ?? fetch)(url, init)
        if (response.status !== 429 || ++waits > waitsMax * atOnce) return response
        await response.body?.cancel()
        const seconds = Number(response.headers.get('retry-after') ?? 1)
        await delay(Math.min(waitSeconds, Number.isFinite(seconds) ? seconds : 1) * 1_000, undefined, { signal })
      }
    },
  }
}

/** Does it for each, some at the same time; the first that fails ends it. */
async function eachOf<One>(all: readonly One[], work: (one: One) => Promise<void>): Promise<void> {
  const left = all.values()
  const worker = async () => {
    for (const one of left) await work(one)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
