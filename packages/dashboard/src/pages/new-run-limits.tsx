import { FormLine, FormSelect } from '../components/form-field.tsx'
import { emptyDraft, metricName, type PartProps, type RunDraft } from './new-run-draft.ts'

const own: (keyof RunDraft)[] = [
  'repetitions',
  'concurrency',
  'timeout',
  'retries',
  'maxCost',
  'maxMinutes',
  'decideOn',
]

/** How the cases are worked off, and when the run ends by itself. */
export function LimitsPart({ draft, faults, set }: PartProps) {
  const isWrong = Object.keys(faults).some((path) => path.startsWith('settings'))
  const isChanged = own.some((name) => draft[name] !== emptyDraft[name])
  return (
    <details className="card" {...(isWrong || isChanged ? { open: true } : {})}>
      <summary className="px-4 py-3 font-semibold">Pace and limits</summary>
      <div className="flex flex-col gap-3 px-4 pb-4">
        <div className="grid grid-cols-2 gap-3 sm:grid-cols-4">
          <Amount
            label="Repetitions"
            says="of each case"
            value={draft.repetitions}
            fault={faults['settings.repetitions']}
            onChange={(repetitions) => set({ repetitions })}
          />
          <Amount
            label="Concurrency"
            says="items at a time"
            value={draft.concurrency}
            fault={faults['settings.concurrency']}
            onChange={(concurrency) => set({ concurrency })}
          />
          <Amount
            label="Timeout"
            says="seconds, of one attempt"
            value={draft.timeout}
            fault={faults['settings.timeout_ms']}
            onChange={(timeout) => set({ timeout })}
          />
          <Amount
            label="Retries"
            says="after the first attempt"
            value={draft.retries}
            fault={faults['settings.retries']}
            onChange={(retries) => set({ retries })}
          />
        </div>
        <div className="grid gap-3 sm:grid-cols-2">
          <Amount
            label="Limit of cost (optional)"
            says="US dollars, of tasks and judges. A cost that is unknown ends the run too."
            value={draft.maxCost}
            fault={faults['settings.limits.cost']}
            onChange={(maxCost) => set({ maxCost })}
          />
          <Amount
            label="Limit of time (optional)"
            says="minutes, of the whole run"
            value={draft.maxMinutes}
            fault={faults['settings.limits.duration_ms']}
            onChange={(maxMinutes) => set({ maxMinutes })}
          />
        </div>
        <Decision draft={draft} faults={faults} set={set} />
      </div>
    </details>
  )
}

/** When it is certain enough. */
function Decision({ draft, faults, set }: PartProps) {
  const names = [...new Set(draft.metrics.map(metricName))]
  const gone = draft.decideOn !== '' && !names.includes(draft.decideOn) ? [draft.decideOn] : []
  return (
    <div className="grid gap-3 sm:grid-cols-3">
      <FormSelect
        label="End early (optional)"
        says="once it is certain on which side of a threshold the mean is"
        value={draft.decideOn}
        fault={faults['settings.decision.metric']}
        choices={[
          { value: '', label: 'Never' },
          ...[...names, ...gone].map((name) => ({ value: name, label: `by ${name}` })),
        ]}
        onChange={(decideOn) => set({ decideOn })}
      />
      {draft.decideOn !== '' && (
        <>
          <Amount
            label="Threshold"
            says="0 to 1"
            value={draft.threshold}
            fault={faults['settings.decision.threshold']}
            onChange={(threshold) => set({ threshold })}
          />
          <Amount
            label="Certainty (optional)"
            says="0.95 without it"
            value={draft.level}
            fault={faults['settings.decision.level']}
            onChange={(level) => set({ level })}
          />
        </>
      )}
    </div>
  )
}

/** A number, which a wheel or an arrow key cannot change by accident. */
function Amount(props: {
  label: string
  says: string
  value: string
  fault: string | undefined
  onChange: (value: string) => void
}) {
  return <FormLine {...props} inputMode="decimal" autoComplete="off" />
}
