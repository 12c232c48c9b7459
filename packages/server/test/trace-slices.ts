import type { Store } from '@llm-eval/store'
import type { Register } from '../src/http/app.ts'
import { registerIngest } from '../src/ingest/ingest.ts'
import { registerMetrics } from '../src/metrics/metrics.ts'
import { registerTraces } from '../src/traces/traces.ts'

/** The slices that take in, show and count traces. */
export const traceSlices: Register[] = [registerIngest, registerTraces, registerMetrics]

/** Removes all traces of the default project, without tombstones. */
export async function removeTraces(store: Store): Promise<void> {
  const project = await store.read(0, 'project', { name: 'default' })
  const change = { kind: 'expireTraces' as const, before: Number.MAX_SAFE_INTEGER, at: 0, limit: 1_000 }
  while ((await store.apply(project?.id ?? 0, change)).more);
}
