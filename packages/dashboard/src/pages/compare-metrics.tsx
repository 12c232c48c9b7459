import type { MetricComparison, RunComparison } from '@llm-eval/protocol'
import { ArrowDown, ArrowUp } from 'lucide-react'
import { Whisker, WhiskerAxis, type WhiskerMood } from '../components/whisker.tsx'
import {
  doubtsOf,
  type Format,
  formatChance,
  formatChange,
  formatPlain,
  letterOf,
  testName,
  usageOf,
  verdictWords,
} from '../format/comparison-words.ts'
import { formatCount, unknown } from '../format/numbers.ts'
import { balancedDomain, type Domain } from '../format/scale.ts'
import { VerdictBadge } from './compare-words.tsx'

const columns = 'grid gap-x-5 gap-y-2 px-4 lg:grid-cols-[12rem_minmax(11rem,1fr)_7rem_15rem_10rem]'

/** Each metric of each run, held against the first: how far, how sure, and of how many cases. */
export function MetricTables({ comparison, nameOf }: { comparison: RunComparison; nameOf: (id: string) => string }) {
  return comparison.compared.map(({ run_id: id, metrics, usage }, index) => (
    <section key={id} aria-label={`${letterOf(index + 1)} against A`} className="card py-3">
      {comparison.compared.length > 1 && (
        <h3 className="foreign px-4 pb-2 font-semibold">
          {letterOf(index + 1)} · {nameOf(id)} <span className="font-normal text-ink-2">against A</span>
        </h3>
      )}
      <MetricTable label={`Metrics of ${letterOf(index + 1)} against A`} rows={metrics.map(plainRow)} />
      <h4 className="border-t border-line px-4 pt-3 pb-1 text-sm font-semibold text-ink-2">Cost and latency</h4>
      <MetricTable label={`Cost and latency of ${letterOf(index + 1)} against A`} rows={usage.map(usageRow)} />
    </section>
  ))
}

interface Row {
  row: MetricComparison
  name: string
  format: Format
  /** Whether it stands on the axis that scores have in common. */
  isCommon: boolean
}

/** Differences of scores lie within -1 and 1; others need an axis of their own. */
function plainRow(row: MetricComparison): Row {
  return { row, name: row.name, format: formatPlain, isCommon: reachOf(row) <= 1 }
}

function usageRow(row: MetricComparison): Row {
  const { name, format } = usageOf(row.name)
  return { row, name, format, isCommon: false }
}

function reachOf({ difference, before, after }: MetricComparison): number {
  const ends = difference ? [difference.low, difference.high] : []
  return Math.max(0, ...[...ends, before ?? 0, after ?? 0].map(Math.abs))
}

function domainOfRows(rows: readonly Row[]): Domain {
  return balancedDomain(
    rows.flatMap(({ row: { difference } }) => (difference ? [difference.low, difference.high] : [])),
  )
}

function MetricTable({ label, rows }: { label: string; rows: readonly Row[] }) {
  const common = domainOfRows(rows.filter(({ isCommon }) => isCommon))
  const hasCommon = rows.some(({ isCommon }) => isCommon)
  return (
    <div role="table" aria-label={label}>
      <div role="row" className={`${columns} items-end pb-1 text-xs font-medium text-ink-3 max-lg:sr-only`}>
        <span role="columnheader">Metric</span>
        <div role="columnheader">
          Difference
          {hasCommon && <WhiskerAxis domain={common} format={(value) => formatChange(value, formatPlain)} />}
        </div>
        <span role="columnheader">Mean</span>
        <span role="columnheader">Certainty</span>
        <span role="columnheader">Cases</span>
      </div>
      {rows.map((one) => (
        <MetricRow key={one.row.name} {...one} domain={one.isCommon ? common : domainOfRows([one])} />
      ))}
    </div>
  )
}

const moods: Record<string, WhiskerMood> = { good: 'good', bad: 'bad', plain: 'plain', wait: 'faint' }

function MetricRow({ row, name, format, isCommon, domain }: Row & { domain: Domain }) {
  const { difference, direction, before, after } = row
  const doubts = doubtsOf(row)
  return (
    <div role="row" className={`${columns} items-start border-t border-line/60 py-2.5`}>
      <div role="cell" className="flex min-w-0 flex-col items-start gap-1">
        <span className="foreign flex max-w-full items-center gap-1 font-medium">
          <span className="min-w-0 truncate" title={name}>
            {name}
          </span>
          {direction !== null && <Direction direction={direction} />}
        </span>
        <VerdictBadge verdict={row.verdict} />
        {doubts.length > 0 && <span className="text-xs text-wait">{doubts.join('; ')}</span>}
      </div>
      <div role="cell" className="min-w-0">
        <Whisker
          of={difference && { estimate: difference.estimate, interval: difference }}
          domain={domain}
          mark={0}
          mood={moods[verdictWords[row.verdict].mood] ?? 'plain'}
        />
        {!isCommon && difference && <WhiskerAxis domain={domain} format={(value) => formatChange(value, format)} />}
        <p className="text-sm">{difference ? changeText(difference, format) : 'unknown'}</p>
      </div>
      <p role="cell" className="text-sm">
        <span className="text-ink-3 lg:sr-only">Mean </span>
        <span className="whitespace-nowrap">{before === null ? unknown : format(before)} →</span>{' '}
        <span className="whitespace-nowrap">{after === null ? unknown : format(after)}</span>
      </p>
      <Certainty row={row} format={format} />
      <Counts row={row} />
    </div>
  )
}

function changeText({ estimate, low, high, level }: NonNullable<MetricComparison['difference']>, format: Format) {
  return (
    <>
      <span className="font-semibold">{formatChange(estimate, format)}</span>{' '}
      <span className="text-ink-2">
        ({formatChange(low, format)} to {formatChange(high, format)}, {formatPlain(level * 100)} %)
      </span>
    </>
  )
}

function Direction({ direction }: { direction: 'higher' | 'lower' }) {
  const Icon = direction === 'higher' ? ArrowUp : ArrowDown
  const words = direction === 'higher' ? 'More is better' : 'Less is better'
  return (
    <span title={words} className="shrink-0 text-ink-3">
      <Icon aria-hidden size={13} />
      <span className="sr-only">{words}</span>
    </span>
  )
}

function Certainty({ row, format }: { row: MetricComparison; format: Format }) {
  const { adjusted_p: p, n, minimal_detectable_effect: least, test } = row
  return (
    <div role="cell" className="flex min-w-0 flex-wrap gap-x-3 gap-y-0.5 text-sm">
      <span title={`Holm’s p, over all rows; ${testName(test)}`} className="whitespace-nowrap">
        <span className="text-ink-3">p </span>
        {formatChance(p)}
      </span>
      <span title="Cases that both runs have scored" className="whitespace-nowrap">
        <span className="text-ink-3">n </span>
        {formatCount(n)}
      </span>
      <span
        title="Minimal detectable effect: the smallest difference that so many cases would show four times out of five"
        className="whitespace-nowrap"
      >
        <span className="text-ink-3">MDE </span>
        {least === null ? unknown : format(least)}
      </span>
      <span className="w-full text-xs text-ink-3">{testName(test)}</span>
    </div>
  )
}

/** How many cases became better, worse, or neither. */
function Counts({ row: { direction, improved, regressed, unchanged, n } }: { row: MetricComparison }) {
  if (n === 0)
    return (
      <p role="cell" className="text-sm text-ink-3">
        no pairs
      </p>
    )
  if (direction === null)
    return (
      <p role="cell" className="text-sm text-ink-2">
        {formatCount(unchanged)} the same, {formatCount(n - unchanged)} not
      </p>
    )
  const share = (count: number): string => `${(100 * count) / n}%`
  return (
    <div role="cell" className="min-w-0 max-lg:max-w-64">
      <div aria-hidden className="mt-1.5 flex h-1.5 overflow-hidden rounded-full bg-sunken">
        <span className="bg-plot-good" style={{ width: share(improved) }} />
        <span className="bg-plot-3" style={{ width: share(regressed) }} />
      </div>
      <p className="mt-1 text-xs text-ink-2">
        <span className="text-good">{formatCount(improved)} better</span>,{' '}
        <span className="text-bad">{formatCount(regressed)} worse</span>, {formatCount(unchanged)} the same
      </p>
    </div>
  )
}
