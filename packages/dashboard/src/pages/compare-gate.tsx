import { type GateOutcome, type GateVerdict, limits } from '@llm-eval/protocol'
import { useQuery } from '@tanstack/react-query'
import { Check, CircleHelp, Plus, X } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { type Bound, comparisonQueries, type GateWish } from '../api/comparisons.ts'
import { boundsOf, boundsText, type CompareSearch } from '../app/addresses.ts'
import { useParts } from '../app/parts.ts'
import { Button, IconButton } from '../components/button.tsx'
import { Select, TextField, wordOf } from '../components/field.tsx'
import { Loading, Trouble } from '../components/notice.tsx'
import { Part } from '../components/part.tsx'
import { Snippet } from '../components/teach.tsx'
import { gateCommand } from '../format/gate-command.ts'

export interface GatePanelProps {
  runs: readonly string[]
  metrics: readonly string[]
  search: CompareSearch
  onChange: (change: Partial<Record<'fail' | 'min' | 'max' | 'partial', string | undefined>>) => void
}

/** Whether the runs pass what is asked of them: the same function answers here, in the API and on the command line. */
export function GatePanel({ runs, metrics, search, onChange }: GatePanelProps) {
  const [min, max] = [boundsOf(search.min), boundsOf(search.max)]
  const wish: GateWish = { runs, failOn: search.fail, min, max, partial: search.partial }
  const isAsked = wish.failOn !== undefined || min.length + max.length > 0
  return (
    <Part
      title="Gate"
      says="May the runs pass? What was not measured is no pass, and a run that is not complete is none."
    >
      <div className="card flex flex-col gap-4 p-4">
        <div className="flex flex-wrap gap-x-6 gap-y-2">
          <Tick
            label="No metric may be worse than in the baseline"
            checked={search.fail === 'regression'}
            onChange={(checked) => onChange({ fail: checked ? 'regression' : undefined })}
          />
          <Tick
            label="Runs that are not complete may pass with what is there of them"
            checked={search.partial === 'allowed'}
            onChange={(checked) => onChange({ partial: checked ? 'allowed' : undefined })}
          />
        </div>
        <Bounds min={min} max={max} metrics={metrics} onChange={onChange} />
        {isAsked ? (
          <>
            <Answer wish={wish} />
            <Snippet name="the command" text={gateCommand(wish)} />
          </>
        ) : (
          <p className="text-ink-2">Nothing is asked yet.</p>
        )}
      </div>
    </Part>
  )
}

interface TickProps {
  label: string
  checked: boolean
  onChange: (checked: boolean) => void
}

function Tick({ label, checked, onChange }: TickProps) {
  return (
    <label className="flex items-center gap-2">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  )
}

type BoundsProps = Pick<GatePanelProps, 'metrics' | 'onChange'> & { min: readonly Bound[]; max: readonly Bound[] }

function Bounds({ min, max, metrics, onChange }: BoundsProps) {
  const [fault, setFault] = useState<string>()
  const sides = { min, max }
  const add = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const side = wordOf(form, 'side') === 'max' ? 'max' : 'min'
    const metric = metrics.find((name) => name === form.get('metric'))
    const text = wordOf(form, 'bound')
    const bound = text === '' ? Number.NaN : Number(text)
    if (metric === undefined || !Number.isFinite(bound)) return setFault('Give a number.')
    if (sides[side].length >= limits.gateBounds) return setFault(`At most ${limits.gateBounds} bounds are held.`)
    setFault(undefined)
    onChange({ [side]: boundsText([...sides[side].filter(([name]) => name !== metric), [metric, bound]]) })
    event.currentTarget.reset()
  }
  return (
    <div className="flex flex-col gap-2">
      {(['min', 'max'] as const).flatMap((side) =>
        sides[side].map(([metric, bound]) => (
          <p key={`${side} ${metric}`} className="flex items-center gap-2">
            <span className="foreign min-w-0">
              The mean of <strong className="font-semibold">{metric}</strong> must be at{' '}
              {side === 'min' ? 'least' : 'most'} {bound}
            </span>
            <IconButton
              label={`Remove the bound of ${metric}`}
              onClick={() => onChange({ [side]: boundsText(sides[side].filter(([name]) => name !== metric)) })}
            >
              <X aria-hidden size={14} />
            </IconButton>
          </p>
        )),
      )}
      {metrics.length > 0 && (
        <form aria-label="Bound" className="flex flex-wrap items-end gap-2" onSubmit={add}>
          <Select
            name="metric"
            label="Mean of"
            className="max-w-56"
            choices={metrics.map((name) => ({ value: name, label: name }))}
          />
          <Select
            name="side"
            label="must be"
            choices={[
              { value: 'min', label: 'at least' },
              { value: 'max', label: 'at most' },
            ]}
          />
          <TextField name="bound" label="Bound" inputMode="decimal" className="w-24" />
          <Button type="submit" className="h-8">
            <Plus aria-hidden size={14} />
            Add
          </Button>
          {fault !== undefined && (
            <span role="alert" className="self-center text-bad">
              {fault}
            </span>
          )}
        </form>
      )}
    </div>
  )
}

const outcomes: Record<GateOutcome, { word: string; says: string; look: string; Icon: typeof Check }> = {
  pass: { word: 'Passed', says: 'The gate passes.', look: 'text-good', Icon: Check },
  fail: { word: 'Failed', says: 'The gate fails.', look: 'text-bad', Icon: X },
  cannot_tell: {
    word: 'Cannot be told',
    says: 'The gate does not pass: it cannot be told.',
    look: 'text-wait',
    Icon: CircleHelp,
  },
}

function Answer({ wish }: { wish: GateWish }) {
  const { api } = useParts()
  const { data, error, refetch } = useQuery(comparisonQueries(api).gate(wish))
  if (data) return <Verdict verdict={data} />
  if (error) return <Trouble what="The gate cannot be asked" error={error} onRetry={() => void refetch()} />
  return <Loading what="what the gate says" />
}

function Verdict({ verdict: { outcome, exit_code: code, reasons } }: { verdict: GateVerdict }) {
  const { says, look } = outcomes[outcome]
  return (
    <div aria-live="polite">
      <p className={`text-lg font-semibold ${look}`}>
        {says} <span className="text-sm font-normal text-ink-3">exit code {code}</span>
      </p>
      <ul aria-label="Reasons" className="mt-1.5 flex max-h-72 flex-col gap-1 overflow-auto" tabIndex={0}>
        {reasons.map(({ outcome: one, message }) => {
          const { word, look: ink, Icon } = outcomes[one]
          return (
            <li key={message} className="flex items-start gap-2">
              <Icon aria-hidden size={15} strokeWidth={2.5} className={`mt-1 shrink-0 ${ink}`} />
              <span className="foreign min-w-0">
                <span className="sr-only">{word}: </span>
                {message}
              </span>
            </li>
          )
        })}
      </ul>
    </div>
  )
}
