import { format } from 'node:util'
import type { Screen } from '../terminal.ts'

const methods = ['debug', 'error', 'info', 'log', 'warn'] as const

/**
 * What tasks and metrics print goes to this screen, above what is redrawn there: standard output is for results alone.
 *
 * @returns takes it back
 */
export function divertConsole(screen: Screen): () => void {
  const own = { ...console }
  for (const name of methods) console[name] = (...told: unknown[]) => screen.line(format(...told))
  return () => {
    for (const name of methods) console[name] = own[name]
  }
}
