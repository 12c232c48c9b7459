import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** In the published package the dashboard lies beside the code; elsewhere the server knows where it is. */
export function dashboard(): { dashboard?: string } {
  const packed = fileURLToPath(new URL('./dashboard', import.meta.url))
  return existsSync(packed) ? { dashboard: packed } : {}
}
