import type { SeriesPoint } from '@llm-eval/protocol'
import { sql } from '#kysely'
import type { Reading } from '../reading.ts'
import { percentile } from '../rollups.ts'
import type { Queries } from '../store.ts'
import { lags } from './journal.ts'
import { timeText } from './summary.ts'

const round = (value: number, digits: number) => Number(value.toFixed(digits))

/** The project's counters: one row read, whatever the number of traces. */
export async function metrics(reading: Reading, { day }: Queries['metrics']['in']): Promise<Queries['metrics']['out']> {
  const h = await reading.db
    .selectFrom('heads')
    .selectAll()
    .where('project_id', '=', reading.projectId)
    .executeTakeFirstOrThrow()
  const today = await reading.db
    .selectFrom('days')
    .select('traces')
    .where('project_id', '=', reading.projectId)
    .where('day', '=', day)
    .executeTakeFirst()
  const decided = h.accepted + h.rejected
  return {
    total_traces: h.total,
    accepted_traces: h.accepted,
    rejected_traces: h.rejected,
    pending_traces: h.total - decided,
    in_review_traces: h.in_review,
    decided_traces: decided,
    avg_response_time: h.latency_count === 0 ? null : round(h.latency_sum / h.latency_count, 2),
    response_time_count: h.latency_count,
    total_cost: round(h.cost_sum / 1e9, 4),
    cost_count: h.cost_count,
    total_tokens: h.tokens_sum,
    tokens_count: h.tokens_count,
    today_traces: today?.traces ?? 0,
    acceptance_rate: decided === 0 ? 0 : round((100 * h.accepted) / decided, 1),
  }
}

/** Counts, cost and latency over time, from the roll-ups: hours where the step allows it, minutes otherwise. */
export async function series(reading: Reading, query: Queries['series']['in']): Promise<Queries['series']['out']> {
  const step = query.stepSeconds
  const from = Math.floor(query.from / 1000 / step) * step
  const to = Math.ceil(query.to / 1000 / step) * step
  const points = new Map<number, { point: SeriesPoint; histogram: Map<number, number> }>()
  for (let at = from; at < to; at += step) points.set(at, { point: emptyPoint(at), histogram: new Map() })
  const modelId = await modelIdOf(reading, query.model)
  if (modelId !== undefined) {
    const rows = await reading.db
      .selectFrom('rollups')
      .selectAll()
      .where('project_id', '=', reading.projectId)
      .where('span', '=', step % 3_600 === 0 ? 3_600 : 60)
      .where('model_id', '=', modelId)
      .where('start', '>=', from)
      .where('start', '<', to)
      .execute()
    for (const row of rows) {
      const entry = points.get(Math.floor(row.start / step) * step)
      if (!entry) continue
      const { point, histogram } = entry
      point.traces += row.traces
      point.accepted += row.accepted
      point.rejected += row.rejected
      point.cost += row.cost_sum / 1e9
      point.cost_count += row.cost_count
      point.tokens += row.tokens_sum
      point.tokens_count += row.tokens_count
      point.latency_count += row.latency_count
      for (const [bucket, count] of Object.entries(JSON.parse(row.latency) as Record<string, number>)) {
        histogram.set(Number(bucket), (histogram.get(Number(bucket)) ?? 0) + count)
      }
    }
  }
  const lag = await lags(reading)
  return {
    from: timeText(from * 1000),
    to: timeText(to * 1000),
    step_seconds: step,
    model_name: query.model,
    points: [...points.values()].map(({ point, histogram }) => ({
      ...point,
      cost: round(point.cost, 9),
      latency_p50: percentile(histogram, 0.5),
      latency_p95: percentile(histogram, 0.95),
      latency_p99: percentile(histogram, 0.99),
    })),
    lag_events: lag.rollups,
  }
}

function emptyPoint(at: number): SeriesPoint {
  const counts = {
    traces: 0,
    accepted: 0,
    rejected: 0,
    cost: 0,
    cost_count: 0,
    tokens: 0,
    tokens_count: 0,
    latency_count: 0,
  }
  return { at: timeText(at * 1000), ...counts, latency_p50: null, latency_p95: null, latency_p99: null }
}

/** 0 stands for all models; undefined when there is no model of this name. */
async function modelIdOf(reading: Reading, name: string | null): Promise<number | undefined> {
  if (name === null) return 0
  const model = await reading.db
    .selectFrom('models')
    .select('id')
    .where('project_id', '=', reading.projectId)
    .where('name', '=', name)
    .executeTakeFirst()
  return model?.id
}

/** What filters can be set to. Sources are found by jumping along their index, so a million traces cost no more than a few. */
export async function facets(reading: Reading): Promise<Queries['facets']['out']> {
  const models = await reading.db
    .selectFrom('models')
    .leftJoin('rollups', (join) =>
      join
        .onRef('rollups.model_id', '=', 'models.id')
        .onRef('rollups.project_id', '=', 'models.project_id')
        .on('rollups.span', '=', 3_600),
    )
    .where('models.project_id', '=', reading.projectId)
    .groupBy(['models.id', 'models.name'])
    .select([
      'models.name',
      ({ fn }) => fn.coalesce(fn.sum<number | string>('rollups.traces'), sql<number>`0`).as('traces'),
    ])
    .orderBy('models.name')
    .limit(1_000)
    .execute()
  const sources = await sql<{ source: string }>`
    WITH RECURSIVE found(source, n) AS (
      SELECT (SELECT min(source) FROM traces WHERE project_id = ${reading.projectId} AND source IS NOT NULL), 1
      UNION ALL
      SELECT (SELECT min(t.source) FROM traces t WHERE t.project_id = ${reading.projectId} AND t.source IS NOT NULL AND t.source > found.source), n + 1
      FROM found WHERE found.source IS NOT NULL AND n < 100
    ) SELECT source FROM found WHERE source IS NOT NULL`.execute(reading.db)
  return {
    models: models.map((model) => ({ name: model.name, traces: Number(model.traces) })),
    sources: sources.rows.map((row) => row.source),
  }
}
