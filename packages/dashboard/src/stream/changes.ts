import type {
  Metrics,
  ReviewStatus,
  ScoreSummary,
  StreamFrame,
  TraceDetail,
  TracePage,
  TraceSummary,
} from '@llm-eval/protocol'

/** What a run of frames means for what is on the screen. */
export interface Changes {
  /** In the order in which they were stored. */
  created: TraceSummary[]
  updated: Map<string, TraceSummary>
  verdicts: Map<string, Verdict>
  /** The newest scores of a trace, by evaluator. */
  scores: Map<string, Map<string, ScoreSummary>>
  /** By `ref`: the event of a deletion does not hold the id any more. */
  deleted: Set<number>
  /** Newest counters, if any came. */
  metrics: Metrics | null
  /** Agent tests changed: what is shown of them is to be read again. */
  agentTests: boolean
  /** Conversations of which something came, or that are gone. Null: one whose thread is not known any more. */
  conversations: Set<string | null>
  /** Something happened that single rows cannot tell; everything visible is to be read again. */
  stale: boolean
}

export interface Verdict {
  status: ReviewStatus
  version: number
}

export function noChanges(): Changes {
  return {
    created: [],
    updated: new Map(),
    verdicts: new Map(),
    scores: new Map(),
    deleted: new Set(),
    metrics: null,
    agentTests: false,
    conversations: new Set(),
    stale: false,
  }
}

/** Sums up frames, the later winning over the earlier. */
export function collectChanges(frames: readonly StreamFrame[]): Changes {
  const changes = noChanges()
  for (const frame of frames) {
    if (frame.event === 'metrics_update') changes.metrics = frame.data
    else if (frame.event === 'agent_test_updates') changes.agentTests = true
    else if (frame.event === 'conversation_updates') changes.conversations.add(frame.data.thread_id)
    else if (frame.event === 'resync_required' || frame.event === 'system_updates') changes.stale = true
    else if (frame.event === 'evaluation_updates') {
      const { trace_id, status, version } = frame.data
      if (trace_id !== null) changes.verdicts.set(trace_id, { status, version })
    } else if (frame.event === 'score_updates') {
      const { trace_id, evaluator, outcome, value, label, passed } = frame.data
      if (trace_id === null) continue
      const scores = changes.scores.get(trace_id) ?? new Map<string, ScoreSummary>()
      changes.scores.set(trace_id, scores.set(evaluator, { evaluator, outcome, value, label, passed }))
    } else if (frame.event === 'trace_updates') {
      const { action, ref, trace } = frame.data
      if (action === 'trace_deleted') changes.deleted.add(ref)
      else if (trace && action === 'new_trace') changes.created.push(trace)
      else if (trace) changes.updated.set(trace.trace_id, trace)
    }
  }
  return changes
}

/** A row as it is after the changes: the same object if nothing touched it, null if it was deleted. */
export function reviseRow(
  row: TraceSummary,
  changes: Pick<Changes, 'updated' | 'verdicts' | 'scores' | 'deleted'>,
): TraceSummary | null {
  if (changes.deleted.has(row.ref)) return null
  const updated = changes.updated.get(row.trace_id)
  const base = rescore(updated && updated.version >= row.version ? updated : row, changes.scores.get(row.trace_id))
  const verdict = changes.verdicts.get(row.trace_id)
  if (!verdict || verdict.version <= base.version) return base
  return { ...base, evaluation_status: verdict.status, version: verdict.version }
}

/** The row with newer scores in the place of those of the same evaluators. */
function rescore(row: TraceSummary, scores: ReadonlyMap<string, ScoreSummary> | undefined): TraceSummary {
  if (!scores) return row
  const others = row.scores.filter((score) => !scores.has(score.evaluator))
  const all = [...others, ...scores.values()].sort((a, b) => (a.evaluator < b.evaluator ? -1 : 1))
  return { ...row, scores: all }
}

/** Rows after the changes; the same array if nothing touched them. A row stays where it is, even if its filter no longer fits. */
export function reviseRows(rows: readonly TraceSummary[], changes: Changes): readonly TraceSummary[] {
  const quiet = changes.verdicts.size + changes.updated.size + changes.scores.size === 0 && changes.deleted.size === 0
  if (quiet) return rows
  let touched = false
  const revised: TraceSummary[] = []
  for (const row of rows) {
    const now = reviseRow(row, changes)
    if (now !== row) touched = true
    if (now) revised.push(now)
  }
  return touched ? revised : rows
}

/** The pages of a list after the changes. */
export function revisePages<D extends { pages: TracePage[] }>(data: D, changes: Changes): D {
  let touched = false
  const pages = data.pages.map((page) => {
    const items = reviseRows(page.items, changes)
    if (items === page.items) return page
    touched = true
    return { ...page, items: [...items] }
  })
  return touched ? { ...data, pages } : data
}

/** A whole trace after the changes. Its history is not in the event, so the caller reads it again. */
export function reviseDetail(trace: TraceDetail, changes: Changes): TraceDetail {
  const verdict = changes.verdicts.get(trace.trace_id)
  if (!verdict || verdict.version <= trace.version) return trace
  return { ...trace, evaluation_status: verdict.status, version: verdict.version }
}

/**
 * Remembers the latest changes, to lay them over answers that were on their way while the events came:
 * a slow answer must not bring back what the stream has already replaced.
 */
export interface Recent {
  remember(changes: Changes): void
  /** The page as it is now. */
  correct(page: TracePage): TracePage
  /** The version that the stream has last told of a trace; -1 if none. */
  versionOf(traceId: string): number
}

export function createRecent(capacity = 5_000): Recent {
  const verdicts = new Map<string, Verdict>()
  const deleted = new Set<number>()
  const none = { updated: new Map<string, TraceSummary>(), scores: new Map<string, Map<string, ScoreSummary>>() }

  return {
    remember(changes) {
      for (const [id, verdict] of changes.verdicts) {
        verdicts.delete(id)
        verdicts.set(id, verdict)
      }
      for (const ref of changes.deleted) deleted.add(ref)
      trim(verdicts, capacity)
      trim(deleted, capacity)
    },
    correct(page) {
      const items = page.items.map((row) => reviseRow(row, { verdicts, deleted, ...none }))
      return { ...page, items: items.filter((row) => row !== null) }
    },
    versionOf: (traceId) => verdicts.get(traceId)?.version ?? -1,
  }
}

function trim<K>(kept: Map<K, unknown> | Set<K>, capacity: number): void {
  for (const key of kept.keys()) {
    if (kept.size <= capacity) return
    kept.delete(key)
  }
}
