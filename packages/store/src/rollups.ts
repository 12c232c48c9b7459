import type { RollupDelta, StoredEvent, TraceNumbers } from './store.ts'

/**
 * Latencies are counted in logarithmic buckets: bucket b holds latencies from 1.05^b up to 1.05^(b+1) milliseconds, so a
 * percentile read from them is at most 5 % off. Everything below one millisecond shares bucket -1.
 */
const growth = Math.log(1.05)

function latencyBucket(ms: number): number {
  return ms < 1 ? -1 : Math.floor(Math.log(ms) / growth)
}

/** The middle of a bucket (geometric), in milliseconds. */
function bucketMiddle(bucket: number): number {
  return bucket < 0 ? 0.5 : Math.exp((bucket + 0.5) * growth)
}

/**
 * The percentile (0 < p <= 1) of a histogram, in milliseconds with 3 significant digits; null when it is empty.
 * Nearest rank: the smallest bucket that at least p of the values do not exceed.
 */
export function percentile(histogram: ReadonlyMap<number, number>, p: number): number | null {
  let total = 0
  for (const count of histogram.values()) total += count
  if (total <= 0) return null
  const rank = Math.ceil(p * total)
  let seen = 0
  for (const bucket of [...histogram.keys()].sort((a, b) => a - b)) {
    seen += histogram.get(bucket) ?? 0
    if (seen >= rank) return Number(bucketMiddle(bucket).toPrecision(3))
  }
  return null
}

/** What a page of events adds to the roll-ups, one row per minute and model. Needs nothing but the events, so it never depends on what was deleted since. */
export function foldRollups(events: readonly StoredEvent[]): RollupDelta[] {
  const rows = new Map<string, RollupDelta>()
  const rowOf = (modelId: number, minute: number): RollupDelta => {
    const key = `${modelId}.${minute}`
    let row = rows.get(key)
    if (!row) {
      row = {
        minute,
        modelId,
        traces: 0,
        accepted: 0,
        rejected: 0,
        costNano: 0,
        costCount: 0,
        tokens: 0,
        tokensCount: 0,
        latencyCount: 0,
        latency: {},
      }
      rows.set(key, row)
    }
    return row
  }
  const count = (n: TraceNumbers, sign: 1 | -1) => {
    const row = rowOf(n.modelId, n.minute)
    row.traces += sign
    if (n.costNano !== null) {
      row.costNano += sign * n.costNano
      row.costCount += sign
    }
    if (n.tokens !== null) {
      row.tokens += sign * n.tokens
      row.tokensCount += sign
    }
    if (n.latencyMs !== null) {
      const bucket = latencyBucket(n.latencyMs)
      row.latencyCount += sign
      row.latency[bucket] = (row.latency[bucket] ?? 0) + sign
    }
  }
  const decide = (at: { modelId: number; minute: number }, status: string, sign: 1 | -1) => {
    if (status === 'accepted') rowOf(at.modelId, at.minute).accepted += sign
    else if (status === 'rejected') rowOf(at.modelId, at.minute).rejected += sign
  }
  for (const event of events) {
    if (event.kind === 'trace_created') count(event.data, 1)
    else if (event.kind === 'trace_updated') {
      // Its time may have changed: the verdict goes along.
      count(event.data.was, -1)
      decide(event.data.was, event.data.status, -1)
      count(event.data, 1)
      decide(event.data, event.data.status, 1)
    } else if (event.kind === 'trace_deleted') {
      count(event.data, -1)
      decide(event.data, event.data.status, -1)
    } else if (event.kind === 'reviewed') {
      decide(event.data, event.data.from, -1)
      decide(event.data, event.data.to, 1)
    }
  }
  return [...rows.values()]
}

/** Lengths of the kept buckets in seconds: minutes for short ranges, hours for long ones. */
export const rollupSpans = [60, 3_600] as const

/** The same deltas for hours, or for all models together (model 0): what a plot reads is then a row per point. */
export function widen(rows: readonly RollupDelta[], spanSeconds: number): (RollupDelta & { start: number })[] {
  const sums = new Map<string, RollupDelta & { start: number }>()
  for (const row of rows) {
    const start = Math.floor((row.minute * 60) / spanSeconds) * spanSeconds
    for (const modelId of [row.modelId, 0]) {
      const key = `${modelId}.${start}`
      const sum = sums.get(key)
      if (!sum) {
        sums.set(key, { ...row, modelId, start, latency: { ...row.latency } })
        continue
      }
      for (const field of [
        'traces',
        'accepted',
        'rejected',
        'costNano',
        'costCount',
        'tokens',
        'tokensCount',
        'latencyCount',
      ] as const) {
        sum[field] += row[field]
      }
      addHistogram(sum.latency, row.latency)
    }
  }
  return [...sums.values()]
}

/** Adds `more` to `into`; buckets that become empty vanish. */
export function addHistogram(into: Record<number, number>, more: Readonly<Record<number, number>>): void {
  for (const [bucket, count] of Object.entries(more)) {
    const sum = (into[Number(bucket)] ?? 0) + count
    if (sum === 0) delete into[Number(bucket)]
    else into[Number(bucket)] = sum
  }
}
