import { setTimeout as delay } from 'node:timers/promises'

/** Tries again until it holds, or fails as it failed last after a time that no sound server needs. */
export async function eventually(holds: () => Promise<void>): Promise<void> {
  const end = performance.now() + 30_000
  for (;;) {
    try {
      return await holds()
    } catch (error) {
      if (performance.now() > end) throw error
      await delay(50)
    }
  }
}
