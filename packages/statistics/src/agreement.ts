import { clamp, type Confidence, type Interval, levelOf, reachOf, wholeFrom } from './interval.ts'
import { tInterval } from './mean.ts'
import { wilsonBounds } from './proportion.ts'
import { requirePairs } from './sample.ts'

/** What a rater may call something. */
export type Label = string | number | boolean

/** Two raters' labels of the same things, counted. */
export interface LabelTable {
  /** In increasing order: numbers, then strings, then false and true. */
  labels: Label[]
  /** Row: what the first rater said; column: what the second said. */
  table: number[][]
  /** Things that one of them, or both, did not label. */
  leftOut: number
}

/** Counts pairs of labels; null and undefined are no label. `labels` gives the order, and those that nobody used. */
export function tabulate(
  a: readonly (Label | null | undefined)[],
  b: readonly (Label | null | undefined)[],
  labels?: readonly Label[],
): LabelTable {
  requirePairs(a, b, 'a and b')
  const pairs = a.flatMap((first, at): [Label, Label][] => {
    const second = b[at]
    return first === null || first === undefined || second === null || second === undefined ? [] : [[first, second]]
  })
  const order = labels === undefined ? [...new Set(pairs.flat())].sort(byKindAndSize) : [...new Set(labels)]
  const places = new Map(order.map((label, place) => [label, place]))
  const table = order.map(() => order.map(() => 0))
  for (const [first, second] of pairs) {
    const row = table[placeOf(places, first)]
    const column = placeOf(places, second)
    if (row !== undefined) row[column] = (row[column] ?? 0) + 1
  }
  return { labels: order, table, leftOut: a.length - pairs.length }
}

function placeOf(places: ReadonlyMap<Label, number>, label: Label): number {
  const place = places.get(label)
  if (place === undefined) throw new RangeError(`${JSON.stringify(label)} is not among the labels`)
  return place
}

const kinds = ['number', 'string', 'boolean']

function byKindAndSize(a: Label, b: Label): number {
  const kind = kinds.indexOf(typeof a) - kinds.indexOf(typeof b)
  return kind === 0 ? (a < b ? -1 : 1) : kind
}

/** Agreement beyond chance. */
export interface Agreement {
  /** Things that were rated. */
  n: number
  /** Share of agreement seen, and to be expected by chance; weighted, if there are weights. */
  observed: number
  expected: number
  /** 1 is perfect, 0 is chance; null where chance alone agrees always (one label only), for then nothing can be told. */
  kappa: number | null
  /** Large-sample standard error. */
  se: number | null
  interval: Interval | null
}

/** How much a disagreement counts: `none` all the same; `linear` and `quadratic` by distance, for ordered labels. */
export type KappaWeights = 'none' | 'linear' | 'quadratic'

/**
 * Cohen's kappa of two raters (J. Cohen 1960; weighted 1968): (observed - expected) / (1 - expected). The interval is the
 * large-sample one of J. Fleiss, J. Cohen, B. Everitt (1969), cut to [-1, 1]; where that has no width (perfect agreement
 * among few), Wilson's bounds of the observed share take its place, with chance held fixed. Null of nothing.
 *
 * @param table square, whole counts: rows the first rater's labels, columns the second's, in the same order
 */
export function cohenKappa(
  table: readonly (readonly number[])[],
  options: Confidence & { weights?: KappaWeights | undefined } = {},
): Agreement | null {
  const level = levelOf(options)
  const n = totalOf(table, table.length)
  if (n === 0) return null
  const shares = table.map((row) => row.map((count) => count / n))
  const rows = shares.map((row) => row.reduce(plus, 0))
  const columns = shares.map((_, column) => shares.reduce((sum, row) => sum + (row[column] ?? 0), 0))
  const weight = weightOf(options.weights ?? 'none', table.length)
  const sumOver = (value: (row: number, column: number) => number) =>
    rows.reduce((sum, _, row) => sum + columns.reduce((part, __, column) => part + value(row, column), 0), 0)
  const at = (list: readonly number[], index: number) => list[index] ?? 0
  const share = (row: number, column: number) => shares[row]?.[column] ?? 0
  const observed = sumOver((row, column) => weight(row, column) * share(row, column))
  const expected = sumOver((row, column) => weight(row, column) * at(rows, row) * at(columns, column))
  // All in one cell: chance agrees always, whatever rounding makes of it.
  if (1 - expected < 1e-12) return { n, observed, expected, kappa: null, se: null, interval: null }
  const kappa = (observed - expected) / (1 - expected)
  const rowMeans = rows.map((_, row) => columns.reduce((sum, part, column) => sum + weight(row, column) * part, 0))
  const columnMeans = columns.map((_, column) => rows.reduce((sum, part, row) => sum + weight(row, column) * part, 0))
  const squares = sumOver((row, column) => {
    const reach = (at(rowMeans, row) + at(columnMeans, column)) * (1 - kappa)
    return share(row, column) * (weight(row, column) - reach) ** 2
  })
  const spread = squares - (kappa - expected * (1 - kappa)) ** 2
  const se = spread < 1e-14 ? 0 : Math.sqrt(spread / n) / (1 - expected)
  return { n, observed, expected, kappa, se, interval: kappaInterval({ n, observed, expected, kappa, se, level }) }
}

type Known = { n: number; observed: number; expected: number; kappa: number; se: number; level: number }

function kappaInterval({ n, observed, expected, kappa, se, level }: Known): Interval {
  const beyondChance = (share: number) => clamp((share - expected) / (1 - expected), -1, 1)
  if (se === 0) {
    const { low, high } = wilsonBounds(clamp(observed, 0, 1), n, level)
    return {
      estimate: kappa,
      low: Math.min(kappa, beyondChance(low)),
      high: Math.max(kappa, beyondChance(high)),
      level,
      n,
    }
  }
  const reach = reachOf(level) * se
  return { estimate: kappa, low: clamp(kappa - reach, -1, 1), high: clamp(kappa + reach, -1, 1), level, n }
}

function weightOf(weights: KappaWeights, labels: number): (row: number, column: number) => number {
  if (weights === 'none') return (row, column) => (row === column ? 1 : 0)
  const power = weights === 'linear' ? 1 : 2
  return (row, column) => 1 - (Math.abs(row - column) / Math.max(1, labels - 1)) ** power
}

/**
 * Fleiss' kappa of any number of raters, who need not be the same for each thing (J. Fleiss 1971). The interval is from the
 * variance of K. Gwet (Handbook of Inter-Rater Reliability, 2014), which holds also where there is agreement, with n - 1
 * degrees of freedom; null of one thing, and where all ratings agree. Null of nothing.
 *
 * @param table one row a thing, one column a label: how many raters gave it; each row adds up to the same number, at least 2
 */
export function fleissKappa(table: readonly (readonly number[])[], options: Confidence = {}): Agreement | null {
  const level = levelOf(options)
  const n = table.length
  if (n === 0) return null
  const labels = table[0]?.length ?? 0
  const total = totalOf(table, labels)
  const raters = total / n
  for (const [at, row] of table.entries())
    if (row.reduce(plus, 0) !== raters || raters < 2)
      throw new RangeError(`row ${at} has ${row.reduce(plus, 0)} ratings; every row needs the same number, at least 2`)
  const shares = Array.from(
    { length: labels },
    (_, label) => table.reduce((sum, row) => sum + (row[label] ?? 0), 0) / total,
  )
  const expected = shares.reduce((sum, share) => sum + share * share, 0)
  const agreed = table.map((row) => row.reduce((sum, count) => sum + count * (count - 1), 0) / (raters * (raters - 1)))
  const observed = agreed.reduce(plus, 0) / n
  if (1 - expected < 1e-12) return { n, observed, expected, kappa: null, se: null, interval: null }
  const kappa = (observed - expected) / (1 - expected)
  if (n === 1) return { n, observed, expected, kappa, se: null, interval: null }
  const influences = table.map((row, at) => {
    const chance = row.reduce((sum, count, label) => sum + (count * (shares[label] ?? 0)) / raters, 0)
    return ((agreed[at] ?? 0) - expected - 2 * (1 - kappa) * (chance - expected)) / (1 - expected)
  })
  const squares = influences.reduce((sum, influence) => sum + (influence - kappa) ** 2, 0)
  const se = Math.sqrt(squares / n / (n - 1))
  const interval = se < 1e-12 ? null : tInterval({ estimate: kappa, se, df: n - 1, level, n })
  return { n, observed, expected, kappa, se, interval: interval === null ? null : cut(interval) }
}

function cut(interval: Interval): Interval {
  return { ...interval, low: clamp(interval.low, -1, 1), high: clamp(interval.high, -1, 1) }
}

function totalOf(table: readonly (readonly number[])[], columns: number): number {
  let total = 0
  for (const [at, row] of table.entries()) {
    if (row.length !== columns) throw new RangeError(`row ${at} has ${row.length} columns; it needs ${columns}`)
    for (const [column, count] of row.entries()) total += wholeFrom(0, `table[${at}][${column}]`, count)
  }
  return total
}

function plus(sum: number, value: number): number {
  return sum + value
}
