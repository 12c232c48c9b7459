import type { Dialect } from '../migrations.ts'

/** Tables of experiments, their runs and tasks, and of annotations. */
export function experimentStep(_dialect: Dialect): string[] {
  return []
}
