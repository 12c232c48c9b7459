import type { Fault } from '@llm-eval/protocol'
import * as z from 'zod'
import type { Evaluator } from './evaluator.ts'
import { faultsOf } from './faults.ts'
import { folded } from './names.ts'

/** The configuration of an evaluation, later ones laid over earlier ones; null members are absent. */
export function readConfig(
  evaluator: Evaluator,
  ...layers: (Readonly<Record<string, unknown>> | null | undefined)[]
): { config: unknown } | { faults: Fault[] } {
  const names = new Map(memberNames(evaluator.config).map((name) => [folded(name), name]))
  const merged = new Map<string, unknown>()
  for (const layer of layers)
    for (const [name, value] of Object.entries(layer ?? {}))
      if (value !== null && value !== undefined) merged.set(names.get(folded(name)) ?? name, value)
  // Made at once: assigned, a member `__proto__` would bring its own members along.
  const read = evaluator.config.safeParse(Object.fromEntries(merged))
  return read.success ? { config: read.data } : { faults: faultsOf('config', read.error.issues) }
}

function memberNames(schema: z.ZodType): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}
