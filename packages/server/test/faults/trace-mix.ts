import type { ItemStatus, RejectReason, TraceInput } from '@llm-eval/protocol'
import { requestBytes, type WireAnswer } from './wire.ts'

/** A request of a mixed load, and all that its answer may say. */
export interface Operation {
  kind: 'single' | 'batch' | 'duplicate' | 'conflict' | 'invalid' | 'review'
  request: Buffer
  /** Ids that exist once this was answered with 2xx. */
  creates: string[]
  batchId?: string
  review?: Review
  status: number
  /** Of each trace in the request; empty for a review. */
  fates: ItemStatus[]
}

/** A verdict of the load, at most one a trace. */
export interface Review {
  traceId: string
  status: 'accepted' | 'rejected'
  reason: RejectReason | null
}

/** What has to be so: everything that was acknowledged. */
export interface Acknowledged {
  traceIds: string[]
  reviews: Map<string, Review>
  batches: Map<string, string[]>
  /** Traces that were refused: they must not exist. */
  refused: string[]
}

/** Numbers that look random and are the same each time (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A trace whose every field follows from its id and variant, so that whoever reads it back knows what it must hold. */
export function traceOf(traceId: string, variant = 0): TraceInput {
  const n = numberOf(traceId)
  return {
    trace_id: traceId,
    model_name: `model-${n % 5}`,
    user_query: `What became of ${wordOf(traceId)}?`,
    ai_response: `Variant ${variant} of ${traceId}: ${'it was kept. '.repeat(n % 20)}`,
    metadata: { n, variant },
    session_id: `session-${n % 97}`,
    // Unknown now and then, because unknown is not zero and must be counted apart.
    ...(n % 7 === 0 ? {} : { tokens_used: n % 5_000 }),
    ...(n % 5 === 0 ? {} : { response_time_ms: n % 3_000 }),
    ...(n % 3 === 0 ? {} : { cost: (n % 100_000) / 1_000_000 }),
    ...(n % 2 === 0 ? {} : { timestamp: new Date(Date.UTC(2025, 0, 27) + (n % 259_200_000)).toISOString() }),
  }
}

/** A word that occurs in this trace alone, for searches. */
export function wordOf(traceId: string): string {
  return `w${traceId.replace(/[^a-z0-9]/g, '')}`
}

function numberOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/**
 * Mixed work for many connections at once: new traces alone and in batches, traces sent before with the same content and
 * with another, traces that are no traces, and verdicts. It remembers what was acknowledged.
 */
export class TraceMix {
  readonly acknowledged: Acknowledged = { traceIds: [], reviews: new Map(), batches: new Map(), refused: [] }
  readonly #random: () => number
  readonly #reviewing = new Set<string>()
  readonly #prefix: string
  #next = 0

  constructor(seed: number, prefix = 'mix') {
    this.#random = randomFrom(seed)
    this.#prefix = prefix
  }

  next(): Operation {
    const dice = this.#random()
    if (this.acknowledged.traceIds.length === 0 || dice < 0.45) return this.#single()
    if (dice < 0.62) return this.#batch()
    if (dice < 0.74) return this.#again('duplicate')
    if (dice < 0.82) return this.#again('conflict')
    if (dice < 0.88) return this.#invalid()
    return this.#review()
  }

  /** Notes that an operation was answered as it had to be. */
  acknowledge({ creates, batchId, review }: Operation): void {
    this.acknowledged.traceIds.push(...creates)
    if (batchId !== undefined) this.acknowledged.batches.set(batchId, creates)
    if (review) this.acknowledged.reviews.set(review.traceId, review)
  }

  #single(): Operation {
    const id = this.#newId()
    return single('single', traceOf(id), { creates: [id], status: 200, fates: ['created'] })
  }

  #again(kind: 'duplicate' | 'conflict'): Operation {
    const trace = traceOf(this.#known(), kind === 'conflict' ? 1 : 0)
    return single(kind, trace, { creates: [], status: kind === 'conflict' ? 409 : 200, fates: [kind] })
  }

  #invalid(): Operation {
    return single('invalid', this.#badTrace(), { creates: [], status: 422, fates: ['invalid'] })
  }

  #batch(): Operation {
    const traces: unknown[] = []
    const fates: ItemStatus[] = []
    const creates: string[] = []
    const add = (trace: unknown, fate: ItemStatus) => {
      traces.push(trace)
      fates.push(fate)
    }
    for (let rest = 1 + this.#below(8); rest > 0; rest--) {
      creates.push(this.#newId())
      add(traceOf(creates.at(-1) ?? ''), 'created')
    }
    if (this.#random() < 0.3) add(traceOf(creates[0] ?? ''), 'duplicate')
    if (this.#random() < 0.3) add(traceOf(creates[0] ?? '', 1), 'conflict')
    if (this.#random() < 0.3) add(traceOf(this.#known()), 'duplicate')
    if (this.#random() < 0.2) add(traceOf(this.#known(), 1), 'conflict')
    if (this.#random() < 0.2) add(this.#badTrace(), 'invalid')
    const batchId = `batch-${this.#prefix}-${this.#next++}`
    const request = requestBytes('POST', '/webhook/batch', { traces, source: 'mix', batch_id: batchId })
    const status = fates.every((fate) => fate === 'created' || fate === 'duplicate') ? 200 : 207
    return { kind: 'batch', request, creates, batchId, status, fates }
  }

  #review(): Operation {
    const traceId = this.#known()
    if (this.#reviewing.has(traceId)) return this.#single()
    this.#reviewing.add(traceId)
    const accepted = this.#random() < 0.7
    const review: Review = {
      traceId,
      status: accepted ? 'accepted' : 'rejected',
      reason: accepted ? null : 'hallucinated',
    }
    const { status, reason } = review
    const body = { status, reason, reviewer: 'mix', expected_version: 0 }
    const request = requestBytes('PATCH', `/api/v1/traces/${traceId}/review`, body)
    return { kind: 'review', request, creates: [], review, status: 200, fates: [] }
  }

  #badTrace(): unknown {
    const traceId = `bad-${this.#prefix}-${this.#next++}`
    this.acknowledged.refused.push(traceId)
    const good = traceOf(traceId)
    const faults = [{ model_name: '' }, { cost: -1 }, { user_query: 7 }, { tokens_used: 1.5 }, { metadata: [] }]
    return { ...good, ...faults[this.#below(faults.length)] }
  }

  #newId(): string {
    return `${this.#prefix}-${this.#next++}`
  }

  #known(): string {
    const { traceIds } = this.acknowledged
    return traceIds[this.#below(traceIds.length)] ?? ''
  }

  #below(max: number): number {
    return Math.floor(this.#random() * max)
  }
}

function single(
  kind: Operation['kind'],
  trace: unknown,
  expected: Pick<Operation, 'creates' | 'status' | 'fates'>,
): Operation {
  return { kind, request: requestBytes('POST', '/webhook/trace', trace), ...expected }
}

/**
 * What is wrong with an answer, in words; undefined when nothing is.
 *
 * @param sentBefore the same request was sent before, and its answer was lost: what it created may be there already
 */
export function complaint(operation: Operation, answer: WireAnswer, sentBefore = false): string | undefined {
  const { kind, status, fates } = operation
  const text = answer.body.toString()
  const wrong = (what: string) => `${kind}: ${what}: ${answer.status} ${text.slice(0, 300)}`
  if (kind === 'review' && sentBefore && answer.status === 409) return undefined
  if (answer.status !== status) return wrong(`the status is not ${status}`)
  if (status === 409 || status === 422) return undefined
  const told = JSON.parse(text) as { version?: number; results?: { status: ItemStatus }[] }
  if (kind === 'review') return told.version === 1 ? undefined : wrong('the version is not 1')
  const statuses = told.results?.map((result) => result.status) ?? []
  const fits = fates.every(
    (fate, i) => statuses[i] === fate || (sentBefore && fate === 'created' && statuses[i] === 'duplicate'),
  )
  return fits && statuses.length === fates.length ? undefined : wrong(`the fates are not ${fates.join()}`)
}
