// Made when the first number is shown: what Intl loads takes longer than most commands have to wait for.
let grouped: Intl.NumberFormat | undefined

/** 12345 -> 12,345. */
export function count(value: number): string {
  grouped ??= new Intl.NumberFormat('en-US')
  return grouped.format(Math.round(value))
}

/** A number of a score, to four digits; unknown is shown as a dash. */
export function figure(value: number | null): string {
  return value === null ? '-' : String(Number(value.toPrecision(4)))
}

/** A share of 0 to 1 in percent; unknown is shown as a dash, only all is 100 %, and only none is 0. */
export function percent(share: number | null): string {
  if (share === null) return '-'
  if (share <= 0 || share >= 1) return `${share * 100} %`
  return `${Math.min(99.9, Math.max(0.1, Math.round(share * 1_000) / 10))} %`
}

/** Bytes in the unit that suits them. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let rest = value
  let unit = 0
  for (; rest >= 1_000 && unit < units.length - 1; unit++) rest /= 1_000
  return `${unit === 0 ? rest : rest.toFixed(1)} ${units[unit]}`
}

/** Milliseconds of a trace; unknown is shown as a dash. */
export function latency(ms: number | null): string {
  if (ms === null) return '-'
  return ms < 10_000 ? `${count(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** US dollars of a trace; unknown is shown as a dash. */
export function dollars(value: number | null): string {
  if (value === null) return '-'
  return `$${value === 0 || value >= 0.0001 ? value.toFixed(value >= 1 ? 2 : 4) : value.toExponential(1)}`
}

/** How long something took or will take. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A time as it is on the clock of this machine, to the second. */
export function localTime(iso: string): string {
  const time = new Date(iso)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${day} ${clockTime(iso)}`
}

/** Hours, minutes and seconds of {@link localTime}. */
export function clockTime(iso: string): string {
  const time = new Date(iso)
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}
