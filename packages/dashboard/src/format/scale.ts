/** Axes of plots: which stretch of numbers they show, and where its marks are. */

/** The stretch of numbers that an axis shows; low < high. */
export type Domain = readonly [low: number, high: number]

/** Where a value lies on an axis, in percent from its low end; what is beyond an end lies on it. */
export function placeOn([low, high]: Domain, value: number): number {
  return Math.min(100, Math.max(0, ((value - low) / (high - low)) * 100))
}

/** A stretch with round ends that holds all of these numbers; 0 to 1 where they all lie within, or there are none. */
export function domainOf(values: readonly number[]): Domain {
  const low = Math.min(0, ...values)
  const high = Math.max(0, ...values)
  if (low === 0 && high <= 1) return [0, 1]
  return rounded(low, high)
}

/** A stretch with round ends and 0 in its middle, for differences. */
export function balancedDomain(values: readonly number[]): Domain {
  const most = Math.max(0, ...values.map(Math.abs))
  if (most === 0) return [-1, 1]
  const [, high] = rounded(0, most)
  return [-high, high]
}

/** Round marks of an axis, about `wanted` of them, within its ends. */
export function marksOf([low, high]: Domain, wanted = 5): number[] {
  const step = roundStep((high - low) / Math.max(1, wanted - 1))
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  return Array.from({ length: last - first + 1 }, (_, at) => multiple(first + at, step))
}

/** Characters of a label from which on five of them do not stand beside each other on a narrow axis. */
const longLabel = 6

/** Those marks of an axis that have a label, with it: all of them, or every other one where labels are long. */
export function labelsOf(domain: Domain, format: (value: number) => string): { at: number; label: string }[] {
  const labels = marksOf(domain).map((at) => ({ at, label: format(at) }))
  const every = labels.length > 3 && labels.some(({ label }) => label.length >= longLabel) ? 2 : 1
  return labels.filter((_, index) => index % every === 0)
}

function rounded(low: number, high: number): Domain {
  const step = roundStep((high - low) / 4)
  return [multiple(Math.floor(low / step + 1e-9), step), multiple(Math.ceil(high / step - 1e-9), step)]
}

/** 0.3 and not 0.30000000000000004, and no -0. */
function multiple(times: number, step: number): number {
  return Number((times * step).toPrecision(12)) + 0
}

/** The next 1, 2 or 5 times a power of ten. */
function roundStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw * (1 - 1e-9)) ?? 10
  return step * power
}
