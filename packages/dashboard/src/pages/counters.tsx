import type { Metrics } from '@llm-eval/protocol'
import { unknown } from '../format/numbers.ts'
import { type Counter, counterNames, readCounters } from './counter-values.ts'

/** The project's counters. What was not measured is a dash, and every mean says over how many traces it goes. */
export function Counters({ metrics }: { metrics: Metrics | undefined }) {
  const counters: Counter[] = metrics
    ? readCounters(metrics)
    : counterNames.map((name) => ({ name, value: unknown, beside: ' ' }))
  return (
    <dl
      aria-label="Counters"
      className="card grid grid-cols-2 gap-px overflow-hidden bg-line sm:grid-cols-4 lg:grid-cols-7"
      aria-busy={!metrics}
    >
      {counters.map(({ name, value, beside, tone }) => (
        <div
          key={name}
          className="flex flex-col bg-surface px-4 py-3 max-lg:last:col-span-full max-sm:last:col-span-2 sm:max-lg:last:col-span-2"
        >
          <dt className="text-sm text-ink-2">{name}</dt>
          <dd className={`order-2 text-2xl font-semibold tracking-tight ${tone ?? ''}`}>{value}</dd>
          <dd className="order-3 text-xs text-ink-3">{beside}</dd>
        </div>
      ))}
    </dl>
  )
}
