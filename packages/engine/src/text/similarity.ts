import * as z from 'zod'

/** From which value on a similarity passes. */
export function threshold(standard: number) {
  return z.number().min(0).max(1).default(standard).describe('Values from here on pass.')
}

/** One text or several, such as references of which the best one counts. */
export function textsOf(value: unknown): string[] {
  const items: unknown[] = Array.isArray(value) ? value : [value]
  return items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)))
}
