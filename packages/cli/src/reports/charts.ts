import type { RunMetricSummary } from '@llm-eval/protocol'
import { figure } from '../display/amounts.ts'
import { escaped } from './xml.ts'

const width = 260
const height = 40
const margin = 8

/** Where values of a metric stand: from 0 to 1 where they all lie within, else from the least to the most. */
function scaleOf({ min, max, mean }: RunMetricSummary): { low: number; high: number; at: (value: number) => number } {
  const values = [min, max, mean?.low ?? null, mean?.high ?? null].filter((value) => value !== null)
  const unit = values.every((value) => value >= 0 && value <= 1)
  const low = unit ? 0 : Math.min(...values)
  const high = unit ? 1 : Math.max(...values)
  const span = high - low || 1
  return { low, high, at: (value) => margin + ((value - low) / span) * (width - 2 * margin) }
}

/** Draws a metric: the mean with its interval over quartiles and 5th to 95th percentile. Empty without values. */
export function whiskersOf(metric: RunMetricSummary): string {
  const { mean, percentiles: p, name } = metric
  if (mean === null) return ''
  const { low, high, at } = scaleOf(metric)
  const x = (value: number) => at(value).toFixed(1)
  const box =
    p === null
      ? ''
      : `<line class="whisker" x1="${x(p.p5)}" x2="${x(p.p95)}" y1="14" y2="14"/>` +
        `<rect class="box" x="${x(p.p25)}" width="${Math.max(1, at(p.p75) - at(p.p25)).toFixed(1)}" y="7" height="14" rx="2"/>` +
        `<line class="median" x1="${x(p.p50)}" x2="${x(p.p50)}" y1="7" y2="21"/>`
  const words = `${name}: mean ${figure(mean.estimate)}, ${figure(mean.low)} to ${figure(mean.high)}${
    p === null ? '' : `; median ${figure(p.p50)}, half of the values from ${figure(p.p25)} to ${figure(p.p75)}`
  }`
  return picture(
    words,
    `${box}<line class="interval" x1="${x(mean.low)}" x2="${x(mean.high)}" y1="14" y2="14"/>` +
      `<circle class="mean" cx="${x(mean.estimate)}" cy="14" r="4"/>` +
      axis(figure(low), figure(high)),
  )
}

/** Draws how the values of a metric are spread. Empty without values. */
export function distributionOf(metric: RunMetricSummary): string {
  const { distribution, name } = metric
  if (distribution.length === 0) return ''
  const { low, high, at } = scaleOf(metric)
  const most = Math.max(...distribution.map(({ count }) => count))
  const bars = distribution.map(({ from, to, count }) => {
    const left = at(from)
    const tall = (count / most) * 24
    // A single value has a bar nevertheless.
    const wide = Math.max(3, at(to) - left - 1)
    const x = Math.min(left, width - margin - wide)
    return `<rect class="bar" x="${x.toFixed(1)}" width="${wide.toFixed(1)}" y="${(26 - tall).toFixed(1)}" height="${tall.toFixed(1)}"/>`
  })
  return picture(
    `${name}: how often which values came, from ${figure(low)} to ${figure(high)}`,
    bars.join('') + axis(figure(low), figure(high)),
  )
}

function axis(low: string, high: string): string {
  return (
    `<line class="axis" x1="${margin}" x2="${width - margin}" y1="26.5" y2="26.5"/>` +
    `<text x="${margin}" y="38">${escaped(low)}</text><text x="${width - margin}" y="38" text-anchor="end">${escaped(high)}</text>`
  )
}

function picture(words: string, content: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(words)}">${content}</svg>`
}
