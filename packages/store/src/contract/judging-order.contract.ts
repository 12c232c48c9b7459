import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ExecutionEnd } from '../evaluation.ts'
import type { StoredEvent } from '../store.ts'
import { completed, finish, leaseMs, newExecution, newScore, start, take, usage } from './judging.contract.ts'
import { newTrace, now, type Room } from './room.contract.ts'

type Happening =
  | { what: 'ingest' | 'delete'; trace: number }
  | { what: 'start'; trace: number | null; evaluator: number; rule: boolean; owner: number }
  | { what: 'finish'; execution: number; owner: number; end: number; value: number }
  | { what: 'cancel'; execution: number }
  | { what: 'take'; owner: number; later: number }
  | { what: 'release'; owner: number }
  | { what: 'progress'; execution: number; owner: number }

const small = fc.nat({ max: 3 })
const execution = fc.nat({ max: 20 })
const happenings: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ what: fc.constant('ingest' as const), trace: small }),
  fc.record({ what: fc.constant('delete' as const), trace: small }),
  fc.record({
    what: fc.constant('start' as const),
    trace: fc.option(small),
    evaluator: fc.nat({ max: 1 }),
    rule: fc.boolean(),
    owner: fc.nat({ max: 1 }),
  }),
  fc.record({
    what: fc.constant('finish' as const),
    execution,
    owner: fc.nat({ max: 1 }),
    end: fc.nat({ max: 4 }),
    value: fc.nat({ max: 9 }),
  }),
  fc.record({ what: fc.constant('cancel' as const), execution }),
  fc.record({ what: fc.constant('take' as const), owner: fc.nat({ max: 1 }), later: fc.nat({ max: 3 }) }),
  fc.record({ what: fc.constant('release' as const), owner: fc.nat({ max: 1 }) }),
  fc.record({ what: fc.constant('progress' as const), execution, owner: fc.nat({ max: 1 }) }),
)

/** Whatever happens to executions, one after the other or all at once, what is kept adds up. */
export function judgingOrderContract(room: () => Promise<Room>): void {
  describe('executions, scores and costs', () => {
    test('add up after any sequence of happenings', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(happenings, { minLength: 5, maxLength: 40 }), async (sequence) => {
          const scene = await Scene.make(room)
          for (const one of sequence) await scene.perform(one)
          await scene.check()
        }),
        { numRuns: 40 },
      )
    })

    test('add up when all happens at once', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(happenings, { minLength: 20, maxLength: 80 }), async (sequence) => {
          const scene = await Scene.make(room)
          for (const trace of [0, 1, 2, 3]) await scene.perform({ what: 'ingest', trace })
          for (const evaluator of [0, 1, 0, 1])
            await scene.perform({ what: 'start', trace: evaluator, evaluator, rule: true, owner: evaluator })
          await Promise.all(sequence.map((one) => scene.perform(one)))
          await scene.check()
        }),
        { numRuns: 25 },
      )
    })
  })
}

/** What the tests know of a project without asking the store. */
class Scene {
  readonly #room: Room
  readonly #executions: { id: string; ref: number; rule: boolean; traceId: string | null }[] = []
  /** Ends that the store took, by ref. */
  readonly #ends = new Map<number, ExecutionEnd>()

  private constructor(r: Room) {
    this.#room = r
  }

  static async make(room: () => Promise<Room>): Promise<Scene> {
    const r = await room()
    const rule = { id: 'r-1', name: 'r', enabled: true, filter: {}, sampling_rate: 1, evaluators: [] }
    await r.apply({ kind: 'putRule', rule: { ...rule, dailyCostLimitNano: null }, at: now, mode: 'create' })
    return new Scene(r)
  }

  async perform(one: Happening): Promise<void> {
    const r = this.#room
    const target = 'execution' in one ? this.#executions[one.execution % this.#executions.length] : undefined
    if (one.what === 'ingest') await r.ingest([newTrace({ traceId: `t-${one.trace}`, hash: 'same' })])
    else if (one.what === 'delete') await r.delete(`t-${one.trace}`)
    else if (one.what === 'start') await this.#start(one)
    else if (one.what === 'take') {
      const at = now + one.later * leaseMs
      await take(r, { owner: `o-${one.owner}`, at, limit: 3, maxAttempts: 2 })
    } else if (one.what === 'release')
      await r.apply({ kind: 'releaseExecutions', owner: `o-${one.owner}`, after: 'stop' })
    else if (!target) return
    else if (one.what === 'finish') {
      const { held } = await finish(r, { ref: target.ref, owner: `o-${one.owner}` }, endOf(one))
      if (!held) return
      expect(this.#ends.has(target.ref)).toBe(false)
      this.#ends.set(target.ref, endOf(one))
    } else if (one.what === 'cancel') await r.apply({ kind: 'cancelExecution', id: target.id, at: now })
    else if (one.what === 'progress')
      await r.apply({ kind: 'noteProgress', ref: target.ref, owner: `o-${one.owner}`, done: 1, total: 2, at: now })
  }

  async #start(one: Happening & { what: 'start' }): Promise<void> {
    const execution = newExecution({
      evaluator: `e-${one.evaluator}`,
      traceId: one.trace === null ? null : `t-${one.trace}`,
      ruleId: one.rule ? 'r-1' : null,
    })
    const [ref] = await start(this.#room, [execution], { owner: `o-${one.owner}` })
    if (ref !== null && ref !== undefined) {
      const { id, traceId } = execution
      this.#executions.push({ id, ref, rule: one.rule, traceId })
    }
  }

  async check(): Promise<void> {
    const journal = await this.#room.journal()
    expect(journal.map((event) => event.seq)).toEqual(journal.map((_, i) => i + 1))
    const ended = journal.filter(isEnd)
    // Each ends once, and not without having begun.
    expect(new Set(ended.map((event) => event.ref)).size).toBe(ended.length)
    const started = journal.flatMap((event) => (event.kind === 'execution_started' ? [event.ref] : []))
    expect(started.toSorted((a, b) => a - b)).toEqual(this.#executions.map(({ ref }) => ref).toSorted((a, b) => a - b))
    for (const { id, ref, traceId } of this.#executions) {
      const kept = await this.#room.read('execution', { id })
      const end = ended.find((event) => event.ref === ref)
      if (kept) expect([ref, kept.status === 'running' ? undefined : kept.status]).toEqual([ref, end?.data.status])
      else expect(end).toBeDefined()
      // It goes with its trace.
      if (kept) expect(kept.traceId).toBe(traceId)
      const own = this.#ends.get(ref)
      if (own) expect(end?.data.status).toBe(own.status)
      if (own && kept) expect(kept.score).toEqual(own.score)
    }
    await this.#checkScores(journal)
    await this.#checkCosts(ended)
  }

  /** The scores of living traces are those of the last ends that told one; no others exist. */
  async #checkScores(journal: StoredEvent[]): Promise<void> {
    const expected = new Map<string, number | null>()
    for (const event of journal) {
      if (event.kind !== 'scored' || event.trace === null) continue
      const score = this.#ends.get(event.data.execution)?.score
      expect(event.score?.value).toBe(score?.value)
      expected.set(`${event.trace.trace_id} ${event.score?.evaluator}`, score?.value ?? null)
    }
    const { items } = await this.#room.list()
    const shown = items.flatMap((item) =>
      item.scores.map((score) => [`${item.trace_id} ${score.evaluator}`, score.value] as const),
    )
    expect(new Map(shown)).toEqual(expected)
    expect(shown).toHaveLength(expected.size)
  }

  /** All of them began when they were started, so each end counts. */
  async #checkCosts(ended: (StoredEvent & { ref: number })[]): Promise<void> {
    const ofRule = ended.filter(({ ref }) => this.#executions.some((one) => one.ref === ref && one.rule))
    let costNano = 0
    let unknownCosts = 0
    for (const { ref } of ofRule) {
      const cost = this.#ends.get(ref)?.score?.usage?.cost ?? null
      if (cost === null) unknownCosts++
      else costNano += Math.round(cost * 1e9)
    }
    const days = await Promise.all(
      [0, 1].map((later) => this.#room.read('ruleDay', { ruleId: 'r-1', day: Math.floor(now / 86_400_000) + later })),
    )
    const sum = (of: 'executions' | 'costNano' | 'unknownCosts') => days.reduce((total, day) => total + day[of], 0)
    expect([sum('executions'), sum('costNano'), sum('unknownCosts')]).toEqual([ofRule.length, costNano, unknownCosts])
  }
}

type EndEvent = Extract<StoredEvent, { kind: 'execution_started' | 'execution_progress' | 'execution_ended' }>

function isEnd(event: StoredEvent): event is EndEvent {
  return event.kind === 'execution_ended'
}

function endOf({ end, value }: { end: number; value: number }): ExecutionEnd {
  if (end === 0) return { status: 'failed', score: null, error: { code: 'threw', message: 'No.' } }
  const score = { value, usage: usage({ cost: end === 1 ? null : value / 1_000 }) }
  if (end === 2) return { status: 'failed', score: newScore({ ...score, outcome: 'errored' }), error: null }
  return completed(score)
}
