import { runUsages } from '@llm-eval/protocol'
import type { Column, ColumnMetric, RunColumns } from './columns.ts'

/** The cases of all runs. */
export interface Joined {
  ids: string[]
  /** Of each run: where in `ids` its cases stand, by their index. */
  places: Int32Array[]
  /** Of each run: the index of the first item of each case; -1 where it has none. */
  items: Float64Array[]
}

export function joinCases(runs: readonly RunColumns[]): Joined {
  const all = new Map<string, number>()
  const places = runs.map(({ cases }) => {
    const place = new Int32Array(cases.size)
    for (const [id, index] of cases) {
      let at = all.get(id)
      if (at === undefined) all.set(id, (at = all.size))
      place[index] = at
    }
    return place
  })
  const items = runs.map(({ firstItems }, run) => {
    const first = new Float64Array(all.size).fill(-1)
    for (const [index, at] of (places[run] ?? []).entries()) first[at] = firstItems[index] ?? -1
    return first
  })
  return { ids: [...all.keys()], places, items }
}

/** How many cases all runs have. */
export function sharedBy(runs: readonly RunColumns[], { ids, places }: Joined): number {
  const having = new Uint8Array(ids.length)
  for (const place of places) for (const at of place) having[at] = (having[at] ?? 0) + 1
  return having.reduce((count, times) => count + Number(times === runs.length), 0)
}

/** A metric in all runs: each run's means by case, NaN where it has none. */
export interface Table {
  metric: Pick<ColumnMetric, 'name' | 'direction'>
  usage: boolean
  /** Of each run; undefined where it does not have the metric. */
  metrics: (ColumnMetric | undefined)[]
  means: Float64Array[]
  /** Of each run: cases, by their place, of which an item was to be scored and was not. */
  unmeasured: ReadonlySet<number>[]
}

/** Every metric that any of the runs has, then what they used. */
export function tablesOf(runs: readonly RunColumns[], joined: Joined): Table[] {
  const names = [...new Set(runs.flatMap(({ metrics }) => metrics.map(({ metric }) => metric.name)))]
  const tableOf = (columnOf: (run: RunColumns) => Column | undefined) =>
    runs.map((run, index) => spread(run, columnOf(run), { joined, index }))
  const metricTables = names.map((name): Table => {
    const found = runs.map(({ metrics }) => metrics.find(({ metric }) => metric.name === name))
    const metrics = found.map((one) => one?.metric)
    const known = metrics.filter((metric) => metric !== undefined)
    const direction = known[0]?.direction ?? null
    return {
      // Runs that do not agree on what is better cannot say which is.
      metric: { name, direction: known.every((metric) => metric.direction === direction) ? direction : null },
      usage: false,
      metrics,
      means: tableOf((run) => run.metrics.find(({ metric }) => metric.name === name)?.column),
      unmeasured: runs.map((run, index) => {
        const column = run.metrics.find(({ metric }) => metric.name === name)
        const place = joined.places[index]
        return new Set(Array.from(column?.unmeasured ?? [], (at) => place?.[at] ?? -1))
      }),
    }
  })
  const usageTables = runUsages.map((name): Table => {
    return {
      metric: { name, direction: 'lower' },
      usage: true,
      metrics: [],
      means: tableOf(({ usage }) => usage[name]),
      unmeasured: [],
    }
  })
  return [...metricTables, ...usageTables]
}

/** By the place of each case, in a run that may lack some. */
function spread(run: RunColumns, column: Column | undefined, { joined, index }: { joined: Joined; index: number }) {
  const means = new Float64Array(joined.ids.length).fill(Number.NaN)
  const place = joined.places[index]
  if (column && place) for (const [at, mean] of run.byCase(column).entries()) means[place[at] ?? 0] = mean
  return means
}
