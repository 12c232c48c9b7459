import type { Dataset, EvaluatorInfo, Run } from '@llm-eval/protocol'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { ArrowLeft, Database, Play } from 'lucide-react'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { ApiError } from '../api/client.ts'
import { datasetQueries } from '../api/datasets.ts'
import { evaluationQueries } from '../api/evaluation.ts'
import { createRun, type NewRun, runKeys, runQueries } from '../api/runs.ts'
import { readNewRun } from '../app/addresses.ts'
import { useMay, useParts } from '../app/parts.ts'
import { Button, buttonLook } from '../components/button.tsx'
import { FormLine } from '../components/form-field.tsx'
import { Loading, Notice, sayError, Trouble } from '../components/notice.tsx'
import { draftOf, emptyDraft, type Faults, type RunDraft } from './new-run-draft.ts'
import { CasesPart, useCases } from './new-run-cases.tsx'
import { faultsOfAnswer } from './new-run-faults.ts'
import { LabelsPart } from './new-run-labels.tsx'
import { LimitsPart } from './new-run-limits.tsx'
import { MetricsPart } from './new-run-metrics.tsx'
import { readDraft } from './new-run-request.ts'
import { TaskPart } from './new-run-task.tsx'

const route = getRouteApi('/shell/new-run')

/** Makes a run that the server works off. */
export function NewRunPage() {
  const { from, dataset } = route.useSearch({ select: readNewRun, structuralSharing: true })
  const { api } = useParts()
  const may = useMay('write')
  const before = useQuery({ ...runQueries(api).run(from ?? ''), enabled: from !== undefined })
  const datasets = useQuery(datasetQueries(api).datasets())
  const catalogue = useQuery(evaluationQueries(api).evaluators())
  const failed = [before, datasets, catalogue].find(({ error, data }) => error && !data)
  return (
    <div className="mx-auto flex w-full max-w-3xl flex-1 flex-col gap-4 p-3 sm:p-6">
      <Link to="/runs" className="flex items-center gap-1.5 self-start font-medium text-ink-2 hover:text-ink">
        <ArrowLeft aria-hidden size={15} />
        Runs
      </Link>
      <h1 className="text-xl font-semibold">{from === undefined ? 'New run' : 'Run again'}</h1>
      {!may ? (
        <Notice title="Nothing can be run here">A key with the scope write is needed to make a run.</Notice>
      ) : failed?.error ? (
        <Trouble what="The form cannot be shown" error={failed.error} onRetry={() => void failed.refetch()} />
      ) : !datasets.data || !catalogue.data || (from !== undefined && !before.data) ? (
        <Loading what="the form" />
      ) : datasets.data.items.length === 0 ? (
        <Notice title="A run needs a dataset" picture={<Database aria-hidden size={22} />}>
          <p>The cases that are asked, with what is expected of each. There is none in this project yet.</p>
          <Link to="/datasets" className={buttonLook('primary', 'medium')}>
            Make a dataset
          </Link>
        </Notice>
      ) : (
        <Form
          key={from ?? ''}
          datasets={datasets.data.items}
          catalogue={catalogue.data.items}
          start={startOf(before.data, datasets.data.items, dataset)}
        />
      )}
    </div>
  )
}

/** What stands in the form at first. */
function startOf(before: Run | undefined, datasets: readonly Dataset[], dataset: string | undefined): RunDraft {
  if (before) {
    const of = datasets.find(({ id }) => id === before.dataset_id)
    return draftOf(before, of?.slug ?? '')
  }
  const only = datasets.length === 1 ? datasets[0]?.slug : undefined
  return { ...emptyDraft, dataset: datasets.find(({ slug }) => slug === dataset)?.slug ?? only ?? '' }
}

interface FormProps {
  datasets: readonly Dataset[]
  catalogue: readonly EvaluatorInfo[]
  start: RunDraft
}

function Form({ datasets, catalogue, start }: FormProps) {
  const [draft, setDraft] = useState(start)
  const [faults, setFaults] = useState<Faults>({})
  const form = useRef<HTMLFormElement>(null)
  const cases = useCases(draft, datasets)
  // Once the fields are marked, the first of them is where to go on.
  useEffect(() => {
    if (Object.keys(faults).length > 0)
      form.current?.querySelector<HTMLElement>('[aria-invalid=true], [role=alert]')?.focus()
  }, [faults])
  const create = useCreate(setFaults)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const read = readDraft(draft, catalogue)
    if (read.faults) return setFaults(read.faults)
    setFaults({})
    create.mutate(read.body)
  }
  const set = (part: Partial<RunDraft>): void => setDraft((before) => ({ ...before, ...part }))
  const parts = { draft, faults, set }
  return (
    <form
      ref={form}
      aria-label="New run"
      noValidate
      // What gets the focus is not to hide behind the bars above and below.
      className="flex flex-col gap-4 [&_:is(input,select,textarea)]:scroll-mt-16 [&_:is(input,select,textarea)]:scroll-mb-28"
      onSubmit={submit}
    >
      <section className="card flex flex-col gap-3 p-4" aria-label="Run">
        <FormLine
          label="Name"
          value={draft.name}
          fault={faults['name']}
          maxLength={200}
          placeholder="Prompt with examples"
          onChange={(name) => set({ name })}
        />
        <div className="grid gap-3 sm:grid-cols-2">
          <FormLine
            label="Description (optional)"
            value={draft.description}
            fault={faults['description']}
            placeholder="What is different this time"
            onChange={(description) => set({ description })}
          />
          <FormLine
            label="Tags (optional)"
            value={draft.tags}
            fault={faults['tags']}
            placeholder="nightly, prompt-v2"
            onChange={(tags) => set({ tags })}
          />
        </div>
      </section>
      <CasesPart {...parts} datasets={datasets} cases={cases} />
      <TaskPart {...parts} cases={cases} />
      <MetricsPart {...parts} catalogue={catalogue} />
      <LimitsPart {...parts} />
      <LabelsPart {...parts} />
      <End faults={faults} cases={cases.total} repetitions={draft.repetitions} busy={create.isPending} />
    </form>
  )
}

/** Makes the run and goes to it. What was not answered may have been made: the same again has the same id. */
function useCreate(onFaults: (faults: Faults) => void) {
  const { api, queryClient } = useParts()
  const navigate = useNavigate()
  const last = useRef({ body: '', id: '' })
  return useMutation({
    mutationFn(body: NewRun) {
      const written = JSON.stringify(body)
      if (last.current.body !== written) last.current = { body: written, id: newRunId() }
      return createRun(api, { ...body, run_id: last.current.id })
    },
    async onSuccess(run) {
      queryClient.setQueryData(runKeys.detail(run.run_id), run)
      void queryClient.invalidateQueries({ queryKey: runKeys.lists })
      await navigate({ to: '/runs/$runId', params: { runId: run.run_id } })
    },
    onError: (error) => onFaults(error instanceof ApiError ? faultsOfAnswer(error) : { '': sayError(error) }),
  })
}

function newRunId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10))
  return `run_${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

function End({
  faults,
  cases,
  repetitions,
  busy,
}: {
  faults: Faults
  cases: number | null
  repetitions: string
  busy: boolean
}) {
  const { '': general, ...others } = faults
  const count = Object.keys(others).length
  const times = Number(repetitions) || 1
  return (
    <div className="sticky bottom-14 flex flex-wrap items-center gap-3 rounded-card border border-line bg-raised p-3 shadow-float sm:bottom-3">
      <div className="mr-auto min-w-0 text-sm">
        {general !== undefined ? (
          <p role="alert" tabIndex={-1} className="text-bad">
            {general}
          </p>
        ) : count > 0 ? (
          <p role="alert" tabIndex={-1} className="text-bad">
            {count === 1 ? 'One field needs another look.' : `${count} fields need another look.`}
          </p>
        ) : (
          <p className="text-ink-2">{cases === null ? 'Choose a dataset.' : itemWords(cases, times)}</p>
        )}
      </div>
      <div className="ml-auto flex gap-2">
        <Link to="/runs" className={buttonLook('plain', 'medium')}>
          Cancel
        </Link>
        <Button type="submit" size="medium" look="primary" disabled={busy}>
          <Play aria-hidden size={14} />
          Start
        </Button>
      </div>
    </div>
  )
}

const whole = new Intl.NumberFormat()

function itemWords(cases: number, times: number): string {
  const ofCases = cases === 1 ? '1 case' : `${whole.format(cases)} cases`
  return times === 1 ? `${ofCases} will be asked.` : `${ofCases} × ${times} = ${whole.format(cases * times)} items`
}
