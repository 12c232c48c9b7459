/** Times as people read them: relative to now, with the whole date on demand. */

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' })
const year = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })

/** Jan 27, 2025, 1:00:00 PM */
export function formatTime(time: string | number): string {
  const at = new Date(time)
  return Number.isNaN(at.getTime()) ? String(time) : absolute.format(at)
}

/** now, 5 s ago, 3 min ago, 2 h ago, then the date. A time in the future by more than a minute is shown as a date. */
export function formatAgo(time: string | number, now: number): string {
  const at = new Date(time).getTime()
  if (Number.isNaN(at)) return String(time)
  const seconds = Math.floor((now - at) / 1000)
  if (seconds < -60) return formatDay(at, now)
  if (seconds < 3) return 'now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`
  return formatDay(at, now)
}

function formatDay(at: number, now: number): string {
  return Math.abs(now - at) < 300 * 86_400_000 ? day.format(at) : year.format(at)
}

/** How long until a time: 5 s, 2 min. */
export function formatUntil(time: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((time - now) / 1000))
  return seconds < 60 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
}

/** A count of days in words. */
export function formatDays(days: number | null): string {
  return days === null ? 'for ever' : days === 1 ? '1 day' : `${days} days`
}

/** A time for an `<input type="datetime-local">`, in the reader's zone. */
export function toLocalInput(time: string | undefined): string {
  if (time === undefined) return ''
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) return ''
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
