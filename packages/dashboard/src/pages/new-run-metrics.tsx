import type { EvaluatorInfo } from '@llm-eval/protocol'
import { X } from 'lucide-react'
import { useState } from 'react'
import { IconButton } from '../components/button.tsx'
import { TextField } from '../components/field.tsx'
import { FormLine } from '../components/form-field.tsx'
import { ConfigOption } from './config-option.tsx'
import { type MetricDraft, type PartProps } from './new-run-draft.ts'
import { configFields, textIn } from './schema-form.ts'

/** How the answers are scored. */
export function MetricsPart({ draft, faults, set, catalogue }: PartProps & { catalogue: readonly EvaluatorInfo[] }) {
  const { metrics } = draft
  const replace = (at: number, metric: MetricDraft): void =>
    set({ metrics: metrics.map((one, index) => (index === at ? metric : one)) })
  const drop = (at: number): void => set({ metrics: metrics.filter((_, index) => index !== at) })
  const toggle = ({ slug }: EvaluatorInfo): void => {
    const others = metrics.filter(({ evaluator }) => evaluator !== slug)
    set({
      metrics: others.length < metrics.length ? others : [...metrics, { evaluator: slug, name: '', config: {} }],
    })
  }
  return (
    <section className="card flex flex-col gap-3 p-4" aria-label="Metrics">
      <h2 className="font-semibold">Metrics</h2>
      {metrics.length > 0 && (
        <ul aria-label="Chosen metrics" className="flex flex-col gap-2">
          {metrics.map((metric, at) => (
            <Metric
              // Two may have one evaluator; the place tells them apart.
              // oxlint-disable-next-line react/no-array-index-key
              key={`${metric.evaluator} ${at}`}
              metric={metric}
              info={catalogue.find(({ slug }) => slug === metric.evaluator)}
              path={`metrics_used[${at}]`}
              faults={faults}
              onChange={(next) => replace(at, next)}
              onDrop={() => drop(at)}
            />
          ))}
        </ul>
      )}
      <Picker
        catalogue={catalogue}
        chosen={new Set(metrics.map(({ evaluator }) => evaluator))}
        fault={faults['metrics_used']}
        onToggle={toggle}
      />
    </section>
  )
}

interface PickerProps {
  catalogue: readonly EvaluatorInfo[]
  chosen: ReadonlySet<string>
  fault: string | undefined
  onToggle: (info: EvaluatorInfo) => void
}

/** The evaluators, found by typing. */
function Picker({ catalogue, chosen, fault, onToggle }: PickerProps) {
  const [wanted, setWanted] = useState('')
  const words = wanted.toLowerCase().split(/\s+/)
  // Those that cost nothing first.
  const free = (info: EvaluatorInfo): number => Number(info.provider !== 'none')
  const shown = [...catalogue]
    .sort((a, b) => free(a) - free(b))
    .filter(({ slug, name, description, category }) => {
      const text = `${slug} ${name} ${description} ${category}`.toLowerCase()
      return words.every((word) => text.includes(word))
    })
  return (
    <div className="flex flex-col gap-1.5">
      <TextField
        label="Find an evaluator"
        type="search"
        placeholder="match, length, faithful…"
        className="w-full"
        value={wanted}
        aria-invalid={fault !== undefined}
        onChange={(event) => setWanted(event.target.value)}
      />
      {fault !== undefined && <p className="text-sm text-bad">{fault}</p>}
      <ul
        aria-label="Evaluators"
        className="max-h-64 divide-y divide-line/70 overflow-y-auto rounded-lg border border-line"
      >
        {shown.map((info) => (
          <li key={info.slug}>
            <label className="flex cursor-pointer items-start gap-2.5 px-3 py-2 hover:bg-hover">
              <input
                type="checkbox"
                className="mt-1 shrink-0"
                checked={chosen.has(info.slug)}
                onChange={() => onToggle(info)}
              />
              <span className="min-w-0">
                <span className="foreign font-medium">{info.name}</span>
                <span className="foreign line-clamp-2 text-xs text-ink-2">{info.description}</span>
                {info.provider !== 'none' && (
                  <span className="text-xs text-ink-3">asks a {info.provider} model, which may cost</span>
                )}
              </span>
            </label>
          </li>
        ))}
        {shown.length === 0 && <li className="px-3 py-4 text-center text-ink-3">No evaluator matches.</li>}
      </ul>
    </div>
  )
}

interface MetricProps {
  metric: MetricDraft
  /** Undefined where it is not there any more. */
  info: EvaluatorInfo | undefined
  path: string
  faults: PartProps['faults']
  onChange: (metric: MetricDraft) => void
  onDrop: () => void
}

/** One metric with its name and its configuration. */
function Metric({ metric, info, path, faults, onChange, onDrop }: MetricProps) {
  const options = info ? configFields(info.config_schema) : []
  const own = faults[path]
  const isWrong = Object.keys(faults).some((field) => field.startsWith(path))
  const title = info?.name ?? metric.evaluator
  return (
    <li className="rounded-lg border border-line">
      <div className="flex items-center gap-2 py-1 pr-1 pl-3">
        <span className="min-w-0 flex-1">
          <span className="foreign font-medium">{title}</span>{' '}
          {info?.needs.includes('reference') && (
            <span className="text-xs text-ink-3">compares with what is expected</span>
          )}
        </span>
        <IconButton label={`Remove ${title}`} onClick={onDrop}>
          <X aria-hidden size={15} />
        </IconButton>
      </div>
      {own !== undefined && <p className="px-3 pb-2 text-sm text-bad">{own}</p>}
      <details className="border-t" {...(isWrong ? { open: true } : {})}>
        <summary className="px-3 py-1.5 text-sm font-medium text-ink-2">
          Name{options.length > 0 ? ' and configuration' : ''}
        </summary>
        <div className="flex flex-col gap-3 px-3 pt-1 pb-3">
          <FormLine
            label="Its name in the run"
            value={metric.name}
            fault={faults[`${path}.name`]}
            placeholder={metric.evaluator}
            onChange={(name) => onChange({ ...metric, name })}
          />
          {options.map((field) => (
            <ConfigOption
              key={field.name}
              field={field}
              fault={faults[`${path}.config.${field.name}`]}
              value={textIn(metric.config, field.name) ?? ''}
              onChange={(value) => onChange({ ...metric, config: { ...metric.config, [field.name]: value } })}
            />
          ))}
        </div>
      </details>
    </li>
  )
}
