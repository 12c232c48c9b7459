import { InvalidArgumentError } from 'commander'

const units: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 }

/** Milliseconds of a span such as `90s`, `24h`, `30d`, `2w`; undefined when it is none. */
function spanMs(text: string): number | undefined {
  const match = /^([0-9]{1,6})([smhdw])$/.exec(text.trim())
  const unit = units[match?.[2] ?? '']
  return match && unit !== undefined ? Number(match[1]) * unit : undefined
}

/** Reads `30d` as a moment so far from `now`, before or after it, and a date or RFC 3339 time as itself. Gives RFC 3339. */
export function moment(sign: 'ago' | 'ahead', now: () => number = Date.now): (text: string) => string {
  return (text) => {
    const span = spanMs(text)
    if (span !== undefined) return new Date(now() + (sign === 'ago' ? -span : span)).toISOString()
    const time = parseTime(text.trim())
    if (time === undefined) {
      const example = sign === 'ago' ? '24h, 7d' : '24h, 30d'
      throw new InvalidArgumentError(`Give a span (${example}), a date (2025-01-27) or a time (2025-01-27T12:00:00Z).`)
    }
    return time.toISOString()
  }
}

/** A date, or a time; one without an offset is UTC, as everywhere on the wire. */
function parseTime(text: string): Date | undefined {
  const match = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:([T ][0-9:.]+)([zZ]|[-+][0-9]{2}:?[0-9]{2})?)?$/.exec(text)
  if (match === null) return undefined
  const [, clock, offset] = match
  const time = new Date(clock === undefined || offset !== undefined ? text : `${text}Z`)
  return Number.isNaN(time.getTime()) ? undefined : time
}

/** Reads how long to wait, such as `90s`, `5m`, `2h` or a number of seconds, up to a week. Gives milliseconds. */
export function timeSpan(text: string): number {
  const ms = /^[0-9]{1,6}$/.test(text.trim()) ? Number(text) * 1_000 : spanMs(text)
  if (ms === undefined || ms < 1_000 || ms > 7 * 86_400_000)
    throw new InvalidArgumentError('Give a time from 1s to 7d, such as 90s, 5m or 2h.')
  return ms
}

/** Reads a whole number between two bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]{1,12}$/.test(text.trim()) ? Number(text) : Number.NaN
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`)
    return value
  }
}

/** Reads a number that is not negative. */
export function amount(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('Give a number of 0 or more.')
  return value
}
