import type { Dialect } from '../migrations.ts'

/** Tables of datasets, their rows and versions. */
export function datasetStep(_dialect: Dialect): string[] {
  return []
}
