import { type ItemResult, limits, type WebhookAnswer } from '@llm-eval/protocol'
import type { Parcel } from './trace-data.ts'

/** How large one request may become. */
export interface BatchSize {
  traces: number
  bytes: number
}

/** Small enough for the usual 1 MB limit of a proxy, far below the server's own. */
export const usualBatch: BatchSize = { traces: limits.batchTraces, bytes: 1_000_000 }

/** Answer of `sendTracesBatch`; the sum of its requests when there were several. */
export interface BatchAnswer extends WebhookAnswer {
  /** The receipts, one per request, when a `batchId` had to be split over several requests. */
  batch_ids?: string[]
}

/** Cuts parcels into batches, in order. A parcel larger than a batch may be travels alone. */
export function pack(parcels: Parcel[], size: BatchSize): Parcel[][] {
  const batches: Parcel[][] = []
  let batch: Parcel[] = []
  let bytes = 0
  for (const parcel of parcels) {
    if (batch.length > 0 && (batch.length >= size.traces || bytes + parcel.bytes > size.bytes)) {
      batches.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(parcel)
    bytes += parcel.bytes
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}

/** The body of one `/webhook/batch` request. */
export function batchBody(parcels: Parcel[], source: string, batchId?: string): string {
  const id = batchId === undefined ? '' : `,"batch_id":${JSON.stringify(batchId)}`
  return `{"traces":[${parcels.map((parcel) => parcel.json).join(',')}],"source":${JSON.stringify(source)}${id}}`
}

/** The answer to a request, and where its traces stood among all. */
export interface PlacedAnswer {
  answer: WebhookAnswer
  offset: number
}

/** One answer from those of several requests; what they say about `traces[i]` is counted over all of them. */
export function mergeAnswers(placed: PlacedAnswer[], count: number): BatchAnswer {
  const answers = placed.map(({ answer }) => answer)
  const [only] = answers
  if (only && answers.length === 1) return only
  const processed = answers.reduce((sum, answer) => sum + processedCount(answer), 0)
  const placedTexts = (field: 'errors' | 'warnings') =>
    placed.flatMap(({ answer, offset }) =>
      (answer[field] ?? []).map((text) =>
        text.replace(/^traces\[(\d+)\]/, (_, index) => `traces[${Number(index) + offset}]`),
      ),
    )
  const errors = placedTexts('errors')
  const warnings = placedTexts('warnings')
  const batchIds = answers.flatMap((answer) => answer.batch_id ?? [])
  return {
    success: processed > 0,
    message: `Processed ${processed} of ${count} traces`,
    processed_count: processed,
    errors: errors.length > 0 ? errors : null,
    trace_ids: answers.flatMap((answer) => answer.trace_ids ?? []),
    results: answers.flatMap((answer) => answer.results ?? []),
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(batchIds.length > 0 ? { batch_ids: batchIds } : {}),
  }
}

/** How many traces an answer says are stored. */
export function processedCount(answer: WebhookAnswer): number {
  return answer.processed_count ?? answer.trace_ids?.length ?? 0
}

/** What became of each of `count` traces, when the answer says it for all of them. */
export function resultsFor(answer: WebhookAnswer | undefined, count: number): ItemResult[] | undefined {
  return answer?.results?.length === count ? answer.results : undefined
}
