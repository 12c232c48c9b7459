import type { Screen } from '../terminal.ts'
import { clockTime } from './amounts.ts'
import { oneLine } from './width.ts'

const levels: Record<number, [name: string, style: Parameters<Screen['paint']>[0]]> = {
  10: ['trace', 'dim'],
  20: ['debug', 'dim'],
  30: ['info', 'cyan'],
  40: ['warn', 'yellow'],
  50: ['error', 'red'],
  60: ['fatal', 'red'],
}

/** A destination for the server's log that shows each entry as one line for people. */
export function prettyLog(screen: Screen): { write(line: string): void } {
  return {
    write(line) {
      const entry: unknown = JSON.parse(line)
      if (typeof entry !== 'object' || entry === null) return
      const { level, time, msg, err, ...rest } = entry as Record<string, unknown>
      // The banner says the same.
      if (msg === 'listening') return
      const [name, style] = levels[Number(level)] ?? ['log', 'dim']
      const at = clockTime(new Date(Number(time)).toISOString())
      const details = Object.entries(rest).map(([key, value]) => `${key}=${plain(value)}`)
      const cause = errorText(err)
      const words = [plain(msg ?? ''), ...details, ...(cause === '' ? [] : [`(${cause})`])].join(' ')
      screen.line(`${screen.paint('dim', at)} ${screen.paint(style, name.padEnd(5))} ${oneLine(words)}`)
    },
  }
}

function errorText(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? plain(error.message) : ''
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
