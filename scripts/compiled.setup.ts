import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Temporary files of tests are kept too, under names that never come back. */
const filesMax = 10_000

/**
 * Vitest's global setup: hundreds of processes and threads load the same sources, and Node need not strip their types and
 * compile them each time anew. What it made of a file holds for exactly its content.
 */
export default function keepCompiled(): void {
  if (process.env['NODE_COMPILE_CACHE'] !== undefined) return
  const folder = join(import.meta.dirname, '../.cache/compiled')
  mkdirSync(folder, { recursive: true })
  if (readdirSync(folder, { recursive: true }).length > filesMax) rmSync(folder, { recursive: true, force: true })
  process.env['NODE_COMPILE_CACHE'] = folder
}
