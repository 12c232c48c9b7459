import { Counter, Gauge, type Registry } from 'prom-client'

/** Measurements of runs. */
export interface RunMeters {
  /** Runs that this process works off. */
  inFlight: Gauge
  /** Items that were finished: by this process, or told by clients. */
  items: Counter<'status'>
}

/** Makes the measurements of runs. */
export function createRunMeters(registry: Registry): RunMeters {
  const registers = [registry]
  return {
    inFlight: new Gauge({ name: 'llm_eval_runs_in_flight', help: 'Runs that this process works off.', registers }),
    items: new Counter({
      name: 'llm_eval_run_items_total',
      help: 'Items of runs that were finished and stored.',
      labelNames: ['status'],
      registers,
    }),
  }
}

/** Counts the items that are new to the store. */
export function countItems(
  { items: counter }: RunMeters,
  items: readonly { status: string }[],
  fates: readonly string[],
): void {
  for (const [at, { status }] of items.entries()) if (fates[at] === 'created') counter.inc({ status })
}
