/** What the senders of traces are told, in the words of the source document. */
import { Failure, type Fault, type ItemResult, type WebhookAnswer } from '@llm-eval/protocol'
import type { TraceOutcome } from '@llm-eval/store'
import type { AcceptedTrace, RefusedTrace } from '../intake/prepare.ts'

/** An item of a batch with what became of it. */
export type Fate = { item: AcceptedTrace; outcome: TraceOutcome } | { item: RefusedTrace; outcome?: undefined }

/** Answer of a single trace that is stored now, or was before. Any other outcome is thrown as a failure. */
export function singleAnswer({ trace, warnings }: AcceptedTrace, outcome: TraceOutcome): WebhookAnswer {
  if (outcome.status === 'conflict') throw new Failure('trace_conflict')
  if (outcome.status === 'deleted') throw new Failure('trace_deleted')
  if (outcome.status === 'invalid') {
    throw new Failure('invalid_request', { errors: [{ path: '', message: outcome.error ?? 'cannot be stored' }] })
  }
  return {
    success: true,
    message:
      outcome.status === 'created'
        ? 'Trace received and processed successfully'
        : 'Trace was received before; it is a duplicate and nothing changed',
    processed_count: null,
    errors: null,
    trace_ids: [trace.traceId],
    results: [{ trace_id: trace.traceId, status: outcome.status, ...(warnings.length > 0 ? { warnings } : {}) }],
  }
}

/** What is wrong with a refused item, as one text. */
export function refusal({ faults }: RefusedTrace): string {
  return faults.map(faultText).join('; ')
}

function faultText({ path, message }: Fault): string {
  return path === '' ? message : `${path}: ${message}`
}

interface BatchOutcome {
  batchId: string
  fates: Fate[]
  warnings: string[]
}

/** Status and body for a batch. */
export function batchAnswer({ batchId, fates, warnings }: BatchOutcome): { status: number; body: WebhookAnswer } {
  const results = fates.map(itemResult)
  const processed = results.filter((result) => result.status === 'created' || result.status === 'duplicate')
  const duplicates = results.filter((result) => result.status === 'duplicate').length
  const errors = fates.flatMap((fate, index) => errorsOf(fate, results[index], index))
  const body: WebhookAnswer = {
    success: processed.length > 0,
    message:
      `Processed ${processed.length} of ${results.length} traces` +
      (duplicates > 0 ? ` (${duplicates} of them stored before)` : ''),
    processed_count: processed.length,
    errors: errors.length > 0 ? errors : null,
    trace_ids: processed.flatMap((result) => result.trace_id ?? []),
    results,
    batch_id: batchId,
  }
  if (warnings.length > 0) body.warnings = warnings
  if (processed.length === results.length) return { status: 200, body }
  if (processed.length > 0) return { status: 207, body }
  const allConflicts = results.every((result) => result.status === 'conflict')
  body.code = allConflicts ? 'trace_conflict' : 'invalid_request'
  return { status: allConflicts ? 409 : 422, body }
}

function itemResult({ item, outcome }: Fate): ItemResult {
  if (!outcome) return { trace_id: item.traceId, status: 'invalid', error: refusal(item) }
  const { trace, warnings } = item
  const error = outcomeError(outcome)
  return {
    trace_id: trace.traceId,
    status: outcome.status === 'deleted' ? 'conflict' : outcome.status,
    ...(error === undefined ? {} : { error }),
    ...(warnings.length > 0 ? { warnings } : {}),
  }
}

function outcomeError({ status, error }: TraceOutcome): string | undefined {
  switch (status) {
    case 'conflict':
      return new Failure('trace_conflict').message
    case 'deleted':
      return new Failure('trace_deleted').message
    case 'invalid':
      return error ?? 'cannot be stored'
    case 'created':
    case 'duplicate':
      return undefined
  }
}

/** The faults of refused items name their place already. */
function errorsOf({ item, outcome }: Fate, result: ItemResult | undefined, index: number): string[] {
  if (!outcome) return item.faults.map(faultText)
  return result?.error === undefined ? [] : [`traces[${index}]: ${result.error}`]
}
