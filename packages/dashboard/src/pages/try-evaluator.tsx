import type { EvaluatorInfo, Execution } from '@llm-eval/protocol'
import { useMutation } from '@tanstack/react-query'
import { Play, Square } from 'lucide-react'
import { type FormEvent, useEffect, useMemo, useState } from 'react'
import { cancelExecution, readExecution, readFrame, startExecution } from '../api/evaluation.ts'
import { useMay, useParts } from '../app/parts.ts'
import { Button } from '../components/button.tsx'
import { FormArea } from '../components/form-field.tsx'
import { JsonView } from '../components/json-view.tsx'
import { sayError } from '../components/notice.tsx'
import { faultWords, ScoreBadge } from '../components/score-badge.tsx'
import { formatCost, formatCount, formatLatency } from '../format/numbers.ts'
import { ConfigOption } from './config-option.tsx'
import { configFields, readConfig, readInput, textIn, typed } from './schema-form.ts'

type Form = Record<string, string>

/** A form made of an evaluator's schemas; the result comes as the evaluator works. */
export function TryEvaluator({ info }: { info: EvaluatorInfo }) {
  const may = useMay('write')
  const { api } = useParts()
  const options = useMemo(() => configFields(info.config_schema), [info])
  const [input, setInput] = useState<Form>(() => startOf(info.example?.input))
  const [config, setConfig] = useState<Form>(() => ({
    ...Object.fromEntries(options.map(({ name, initial }) => [name, initial])),
    ...startOf(info.example?.config),
  }))
  const [faults, setFaults] = useState<Record<string, string>>({})
  const [running, setRunning] = useState<Execution | null>(null)
  const start = useMutation({
    mutationFn: (trial: { input: Record<string, unknown>; config: Record<string, unknown> }) =>
      startExecution(api, info.slug, trial),
    onMutate: () => setRunning(null),
    onSuccess: setRunning,
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const [given, chosen] = [readInput(info.input_schema, input), readConfig(options, config)]
    const wrong = { ...('values' in given ? {} : given.faults), ...('values' in chosen ? {} : chosen.faults) }
    setFaults(wrong)
    if ('values' in given && 'values' in chosen) start.mutate({ input: given.values, config: chosen.values })
  }
  if (!may) return <p className="card p-4 text-ink-2">A key with the scope write is needed to try an evaluator.</p>
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <form aria-label="Try it" className="card flex flex-col gap-3 p-4" onSubmit={submit}>
        {info.input_schema.map(({ name, description, required, type }) => (
          <FormArea
            key={name}
            label={required ? name : `${name} (optional)`}
            says={[description, type === 'string' ? '' : type].filter((part) => part !== '').join(' · ')}
            fault={textIn(faults, name)}
            value={textIn(input, name) ?? ''}
            onChange={(value) => setInput({ ...input, [name]: value })}
          />
        ))}
        {options.length > 0 && (
          <details className="rounded-lg border border-line" open={options.length <= 2}>
            <summary className="px-3 py-1.5 text-sm font-medium text-ink-2">Configuration</summary>
            <div className="flex flex-col gap-3 px-3 pt-1 pb-3">
              {options.map((field) => (
                <ConfigOption
                  key={field.name}
                  field={field}
                  fault={textIn(faults, field.name)}
                  value={textIn(config, field.name) ?? ''}
                  onChange={(value) => setConfig({ ...config, [field.name]: value })}
                />
              ))}
            </div>
          </details>
        )}
        <Button type="submit" size="medium" look="primary" className="self-start" disabled={start.isPending}>
          <Play aria-hidden size={14} />
          Evaluate
        </Button>
      </form>
      <div aria-label="Result" role="region" aria-live="polite" className="min-w-0">
        {start.error ? (
          <p role="alert" className="card p-4 text-bad">
            {sayError(start.error)}
          </p>
        ) : running ? (
          <Result key={running.execution_id} started={running} />
        ) : (
          <p className="rounded-card border border-dashed border-line p-6 text-center text-ink-3">
            The result stands here as soon as it is known.
          </p>
        )}
      </div>
    </div>
  )
}

function startOf(values: Record<string, unknown> | undefined): Form {
  return Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, typed(value)]))
}

const isOver = ({ status }: Execution): boolean => status !== 'queued' && status !== 'running'

/** Follows an execution to its end, with the steps it takes. */
function useExecution(started: Execution) {
  const { api } = useParts()
  const [execution, setExecution] = useState(started)
  const [progress, setProgress] = useState<{ done: number | null; total: number | null }>()
  const over = isOver(execution)
  const id = started.execution_id
  useEffect(() => {
    if (over) return
    const stream = new EventSource(`/api/v1/executions/${encodeURIComponent(id)}/events`)
    stream.addEventListener('message', ({ data }: MessageEvent<string>) => {
      const frame = readFrame(data)
      if ('progress' in frame) setProgress(frame.progress)
      else {
        stream.close()
        setExecution(frame.execution)
      }
    })
    // A stream that is refused is not opened again by the browser: then the result is asked for.
    stream.addEventListener('error', () => {
      if (stream.readyState === EventSource.CLOSED) void readExecution(api, id, 60).then(setExecution, () => undefined)
    })
    return () => stream.close()
  }, [api, id, over])
  return { execution, progress, over }
}

function Result({ started }: { started: Execution }) {
  const { api } = useParts()
  const { execution, progress, over } = useExecution(started)
  const { score, error } = execution
  if (!over)
    return (
      <div className="card flex flex-col gap-3 p-4">
        <p role="status" className="text-ink-2">
          Evaluating
          {progress?.total ? `: ${progress.done ?? 0} of ${progress.total}` : '…'}
        </p>
        <progress
          aria-label="Progress"
          className="h-1.5 w-full"
          {...(progress?.total ? { value: progress.done ?? 0, max: progress.total } : {})}
        />
        <Button className="self-start" onClick={() => void cancelExecution(api, started.execution_id)}>
          <Square aria-hidden size={12} />
          Cancel
        </Button>
      </div>
    )
  return (
    <div className="card flex flex-col gap-3 p-4">
      <div className="flex flex-wrap items-center gap-3">
        {score ? <ScoreBadge score={score} /> : <span className="font-medium">{execution.status}</span>}
        {score && score.fault !== null && <span className="text-sm text-ink-2">{faultWords[score.fault]}</span>}
        <span className="ml-auto text-xs text-ink-3">{score && `took ${formatLatency(score.duration_ms)}`}</span>
      </div>
      {error && <p className="text-sm text-bad">{error.message}</p>}
      {score?.explanation && score.explanation !== error?.message && (
        <p className="foreign-block text-ink-2">{score.explanation}</p>
      )}
      {score && Object.keys(score.output).length > 0 && <JsonView value={score.output} name="output" />}
      {score?.usage && (
        <p className="flex flex-wrap gap-x-3 text-xs text-ink-3">
          <span>cost {score.usage.cached ? 'nothing (cached)' : formatCost(score.usage.cost)}</span>
          <span>
            {formatCount(score.usage.input_tokens)} tokens in, {formatCount(score.usage.output_tokens)} out
          </span>
          <span className="foreign">{score.usage.model}</span>
        </p>
      )}
    </div>
  )
}
