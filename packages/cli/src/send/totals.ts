import * as z from 'zod'
import type { Fate } from './delivery.ts'

const count = z.int().nonnegative()

/** What became of the traces of an input so far. */
export const totalsShape = z.object({
  created: count,
  duplicates: count,
  conflicts: count,
  invalid: count,
  /** The first that were refused, in order. */
  refused: z.array(
    z.object({
      line: count,
      traceId: z.string().nullable(),
      status: z.enum(['created', 'duplicate', 'conflict', 'invalid']),
      error: z.string().optional(),
    }),
  ),
})
export type Totals = z.infer<typeof totalsShape>

/** Refused lines that are shown; the others are counted. */
const shownRefusals = 20

export function noTotals(): Totals {
  return { created: 0, duplicates: 0, conflicts: 0, invalid: 0, refused: [] }
}

/** Adds what became of some traces. */
export function addFates(totals: Totals, fates: Fate[]): void {
  for (const fate of fates) {
    if (fate.status === 'created') totals.created++
    else if (fate.status === 'duplicate') totals.duplicates++
    else {
      if (fate.status === 'conflict') totals.conflicts++
      else totals.invalid++
      if (totals.refused.length < shownRefusals) totals.refused.push(fate)
    }
  }
}

export function allOf({ created, duplicates, conflicts, invalid }: Totals): number {
  return created + duplicates + conflicts + invalid
}

export function refusedOf({ conflicts, invalid }: Totals): number {
  return conflicts + invalid
}
