/** Numbers as people read them, in the reader's language. Unknown is a dash and never a zero. */

export const unknown = '–'

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 })
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 })
const oneDecimal = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 })
const threeDigits = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 })

/** 12,345 */
export function formatCount(value: number | null): string {
  return value === null ? unknown : whole.format(value)
}

/** 1 trace, 12,345 traces */
export function formatTraces(count: number): string {
  return `${whole.format(count)} ${count === 1 ? 'trace' : 'traces'}`
}

/** 12.3K, for tight places. */
export function formatCompact(value: number | null): string {
  return value === null ? unknown : Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value)
}

/** 5K: as short as it gets, for the marks of an axis. */
export function formatShort(value: number): string {
  return compact.format(value)
}

/** Milliseconds as 850 ms, 1.25 s, 2 m 5 s. */
export function formatLatency(ms: number | null): string {
  if (ms === null) return unknown
  if (ms < 1) return ms === 0 ? '0 ms' : `${threeDigits.format(ms)} ms`
  if (ms < 1_000) return `${whole.format(ms)} ms`
  if (ms < 60_000) return `${threeDigits.format(ms / 1000)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`
  return `${whole.format(Math.floor(seconds / 3_600))} h ${Math.floor((seconds % 3_600) / 60)} m`
}

/** US dollars: $12.30, and as many digits as a small amount needs: $0.0012. */
export function formatCost(dollars: number | null): string {
  if (dollars === null) return unknown
  if (dollars === 0) return '$0'
  if (dollars < 0.000_001) return '< $0.000001'
  if (dollars < 1) return `$${trimZeros(dollars.toFixed(dollars < 0.01 ? 6 : 4)).replace(/\.\d$/, '$&0')}`
  if (dollars < 10_000) return `$${dollars.toFixed(2).replace(/\B(?=(\d{3})+(?=\.))/g, ',')}`
  return `$${compact.format(dollars)}`
}

/** 85.0 % */
export function formatPercent(percent: number | null): string {
  return percent === null ? unknown : `${oneDecimal.format(percent)} %`
}

/** 12.3/s, 4.2/min, 3.0/h: the unit in which the number says something. */
export function formatRate(perSecond: number): string {
  if (perSecond === 0) return '0/s'
  if (perSecond >= 1) return `${perSecond >= 100 ? whole.format(perSecond) : oneDecimal.format(perSecond)}/s`
  const perMinute = perSecond * 60
  return perMinute >= 1 ? `${oneDecimal.format(perMinute)}/min` : `${oneDecimal.format(perMinute * 60)}/h`
}

/** Bytes or characters with a unit. */
export function formatSize(count: number, unit: string): string {
  return `${count < 10_000 ? whole.format(count) : compact.format(count)} ${unit}`
}

function trimZeros(text: string): string {
  return text.replace(/(\.\d*?[1-9])0+$/, '$1').replace(/\.0+$/, '')
}
