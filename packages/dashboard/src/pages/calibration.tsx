import type { Calibration, Interval } from '@llm-eval/protocol'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Ruler } from 'lucide-react'
import { measure, evaluationQueries } from '../api/evaluation.ts'
import { useMay, useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Button } from '../components/button.tsx'
import { Loading, sayError, Trouble } from '../components/notice.tsx'
import { Part } from '../components/part.tsx'
import { formatScore } from '../components/score-badge.tsx'
import { Ago } from '../components/time.tsx'
import { formatCount, formatPercent, unknown } from '../format/numbers.ts'

/** How far an evaluator agrees with people. */
export function CalibrationPart({ slug, measured }: { slug: string; measured: boolean }) {
  const { api, queryClient } = useParts()
  const evaluation = evaluationQueries(api)
  const may = useMay('write')
  const toasts = useToasts()
  const options = evaluation.calibration(slug)
  const { data, error, refetch } = useQuery({ ...options, enabled: measured })
  const run = useMutation({
    mutationFn: () => measure(api, slug),
    onSuccess: (made) => queryClient.setQueryData(options.queryKey, made),
    onError: (failure) => toasts.show({ text: `It was not measured. ${sayError(failure)}`, mood: 'bad' }),
  })
  return (
    <Part
      title="Calibration"
      says="Its passes and fails beside people's accepts and rejects, on the traces that both have judged."
      beside={
        may && (
          <Button size="medium" disabled={run.isPending} onClick={() => run.mutate()}>
            <Ruler aria-hidden size={14} />
            {run.isPending ? 'Measuring…' : data ? 'Measure again' : 'Measure'}
          </Button>
        )
      }
    >
      {data ? (
        <Measured calibration={data} />
      ) : !measured ? (
        <p className="card p-4 text-ink-2">
          It was never measured. Let it score traces that people have reviewed, then measure.
        </p>
      ) : error ? (
        <Trouble what="The calibration cannot be shown" error={error} onRetry={() => void refetch()} />
      ) : (
        <Loading what="the calibration" />
      )}
    </Part>
  )
}

const states: Record<Calibration['state'], string | null> = {
  current: null,
  expired: 'Expired: the evaluator has changed since. Measure again before you rely on it.',
  drifted: 'Drifted: the provider answers with another model now. Measure again before you rely on it.',
  not_pinned: 'Its code is under no declared version, so this says nothing about the next score.',
}

function Measured({ calibration }: { calibration: Calibration }) {
  const { state, n, judge_only, human_only, agreement, kappa, raw_rate, corrected_rate } = calibration
  const notice = states[state]
  return (
    <div className="flex flex-col gap-4">
      {notice !== null && (
        <p role="status" className="rounded-lg bg-wait-soft px-3.5 py-2 text-wait">
          {notice}
        </p>
      )}
      <div className="grid gap-4 md:grid-cols-2">
        <Confusion calibration={calibration} />
        <dl className="card flex flex-col divide-y divide-line/70">
          <Figure
            name="Agreement"
            of={agreement}
            show={percent}
            says="Share of the traces on which both say the same."
          />
          <Figure
            name="Cohen’s kappa"
            of={kappa}
            show={formatScore}
            says="Agreement beyond chance; 1 is all there could be."
          />
          <Figure name="Pass rate, as it says" of={raw_rate} show={percent} />
          <Figure
            name="Pass rate, corrected"
            of={corrected_rate}
            show={percent}
            says="For its known errors (Rogan and Gladen)."
          />
        </dl>
      </div>
      <p className="text-sm text-ink-3">
        {formatCount(n)} judged by both, {formatCount(judge_only)} by it alone, {formatCount(human_only)} by people
        alone. Measured <Ago time={calibration.made_at} />, version {calibration.evaluator_version.slice(0, 8)}.
      </p>
      <div className="grid gap-4 md:grid-cols-2">
        <Examples title="It passed, people rejected" ids={calibration.false_positives} />
        <Examples title="It failed, people accepted" ids={calibration.false_negatives} />
      </div>
    </div>
  )
}

const percent = (share: number): string => formatPercent(share * 100)

function Figure({
  name,
  of,
  show,
  says,
}: {
  name: string
  of: Interval | null
  show: (value: number) => string
  says?: string
}) {
  return (
    <div className="flex items-baseline gap-x-4 px-4 py-2">
      <dt className="min-w-0 flex-1">
        {name}
        {says && <span className="block text-xs text-ink-3">{says}</span>}
      </dt>
      <dd className="shrink-0 text-right">
        {of === null ? (
          <span className="text-ink-3" title="Not enough traces">
            {unknown}
          </span>
        ) : (
          <>
            <span className="font-semibold">{show(of.estimate)}</span>
            <span className="block text-xs text-ink-3">
              {show(of.low)} to {show(of.high)} ({Math.round(of.level * 100)} %)
            </span>
          </>
        )}
      </dd>
    </div>
  )
}

/** Four cells, the two errors apart by colour and word. */
function Confusion({ calibration: { confusion } }: { calibration: Calibration }) {
  const cell = 'border border-line/70 px-3 py-3 text-center'
  return (
    <table className="card border-collapse text-sm" aria-label="Confusion matrix">
      <thead>
        <tr>
          <td className={cell} />
          <th scope="col" className={`${cell} font-medium text-ink-2`}>
            people accepted
          </th>
          <th scope="col" className={`${cell} font-medium text-ink-2`}>
            people rejected
          </th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row" className={`${cell} font-medium text-ink-2`}>
            it passed
          </th>
          <td className={`${cell} bg-good-soft text-lg font-semibold text-good`}>{confusion.true_positive}</td>
          <td className={`${cell} bg-bad-soft text-lg font-semibold text-bad`}>{confusion.false_positive}</td>
        </tr>
        <tr>
          <th scope="row" className={`${cell} font-medium text-ink-2`}>
            it failed
          </th>
          <td className={`${cell} bg-bad-soft text-lg font-semibold text-bad`}>{confusion.false_negative}</td>
          <td className={`${cell} bg-good-soft text-lg font-semibold text-good`}>{confusion.true_negative}</td>
        </tr>
      </tbody>
    </table>
  )
}

function Examples({ title, ids }: { title: string; ids: readonly string[] }) {
  return (
    <section aria-label={title}>
      <h3 className="mb-1.5 font-medium">
        {title} <span className="text-ink-3">{ids.length}</span>
      </h3>
      {ids.length === 0 ? (
        <p className="text-sm text-ink-3">None.</p>
      ) : (
        <ul className="card max-h-56 divide-y divide-line/70 overflow-y-auto">
          {ids.map((id) => (
            <li key={id}>
              <Link
                to="/traces/$traceId"
                params={{ traceId: id }}
                className="foreign block clip px-3.5 py-1.5 font-mono text-xs text-accent hover:bg-hover"
              >
                {id}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
