import type { EvaluatorInfo, TraceDetail, TraceScore } from '@llm-eval/protocol'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Gauge } from 'lucide-react'
import { useState } from 'react'
import { evaluateTrace, evaluationQueries } from '../api/evaluation.ts'
import { useMay, useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Button } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { JsonView } from '../components/json-view.tsx'
import { Loading, sayError } from '../components/notice.tsx'
import { faultWords, ScoreBadge } from '../components/score-badge.tsx'
import { Ago } from '../components/time.tsx'
import { formatCost, formatLatency } from '../format/numbers.ts'

/** What evaluators think of a trace. New scores appear by the stream. */
export function Scores({ trace }: { trace: TraceDetail }) {
  const may = useMay('write')
  const [choosing, setChoosing] = useState(false)
  return (
    <section aria-label="Scores" className="mt-5">
      <div className="mb-2 flex items-center gap-2">
        <h2 className="font-semibold">Scores</h2>
        {may && (
          <Button className="ml-auto" onClick={() => setChoosing(true)}>
            <Gauge aria-hidden size={14} />
            Evaluate…
          </Button>
        )}
      </div>
      {trace.scores.length === 0 ? (
        <p className="text-sm text-ink-3">No evaluator has looked at this trace yet.</p>
      ) : (
        <ul aria-label="Scores of the trace" className="card divide-y divide-line/70">
          {trace.scores.map((score) => (
            <ScoreRow key={score.evaluator} score={score} />
          ))}
        </ul>
      )}
      <Choose trace={trace} open={choosing} onOpen={setChoosing} />
    </section>
  )
}

function ScoreRow({ score }: { score: TraceScore }) {
  const { evaluator, explanation, fault, output, usage, rule } = score
  const why = fault === null ? explanation : (explanation ?? faultWords[fault])
  return (
    <li>
      <details className="group">
        <summary className="flex list-none flex-wrap items-center gap-x-3 gap-y-1 px-3.5 py-2 hover:bg-hover">
          <span className="w-44 min-w-0 clip font-medium">{evaluator}</span>
          <ScoreBadge score={score} />
          <span className="foreign min-w-0 flex-1 clip text-sm text-ink-2 group-open:hidden">{why}</span>
          <span className="ml-auto text-xs text-ink-3">
            <Ago time={score.at} />
          </span>
        </summary>
        <div className="flex flex-col gap-2.5 px-3.5 pt-1 pb-3.5">
          {why !== null && <p className="foreign-block text-sm text-ink-2">{why}</p>}
          {Object.keys(output).length > 0 && <JsonView value={output} name={`output of ${evaluator}`} />}
          <p className="flex flex-wrap gap-x-3 text-xs text-ink-3">
            <span>took {formatLatency(score.duration_ms)}</span>
            {usage !== null && <span>cost {usage.cached ? 'nothing (cached)' : formatCost(usage.cost)}</span>}
            {usage?.model && <span className="foreign">{usage.model}</span>}
            {rule !== null && <span className="foreign">by the rule {rule}</span>}
            <Link to="/evaluators/$slug" params={{ slug: evaluator }} className="text-accent hover:underline">
              version {score.evaluator_version.slice(0, 8)}
            </Link>
          </p>
        </div>
      </details>
    </li>
  )
}

/** Evaluators that need nothing a trace never has: those are offered. */
function fits({ needs }: EvaluatorInfo): boolean {
  return needs.length > 0
}

function Choose({ trace, open, onOpen }: { trace: TraceDetail; open: boolean; onOpen: (open: boolean) => void }) {
  const { api } = useParts()
  const evaluation = evaluationQueries(api)
  const toasts = useToasts()
  const { data } = useQuery({ ...evaluation.evaluators(), enabled: open })
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const start = useMutation({
    mutationFn: () => evaluateTrace(api, trace.trace_id, [...chosen]),
    onSuccess() {
      onOpen(false)
      setChosen(new Set())
    },
    onError: (error) => toasts.show({ text: `The trace is not evaluated. ${sayError(error)}`, mood: 'bad' }),
  })
  const toggle = (slug: string): void => {
    const next = new Set(chosen)
    if (!next.delete(slug)) next.add(slug)
    setChosen(next)
  }
  return (
    <Dialog
      open={open}
      onOpen={onOpen}
      title="Evaluate this trace"
      says="The scores appear here as they come. What a trace lacks is skipped, and never counts as zero."
    >
      {!data ? (
        <Loading what="the evaluators" />
      ) : (
        <>
          <ul
            aria-label="Evaluators"
            className="max-h-[50vh] divide-y divide-line/70 overflow-y-auto rounded-lg border"
          >
            {data.items.filter(fits).map(({ slug, name, description, kind }) => (
              <li key={slug}>
                <label className="flex cursor-pointer items-start gap-3 px-3 py-2 hover:bg-hover">
                  <input
                    type="checkbox"
                    className="mt-1"
                    checked={chosen.has(slug)}
                    onChange={() => toggle(slug)}
                    aria-label={name}
                  />
                  <span className="min-w-0">
                    <span className="font-medium">{name}</span> <span className="text-xs text-ink-3">{kind}</span>
                    <span className="block text-sm text-ink-2">{description}</span>
                  </span>
                </label>
              </li>
            ))}
          </ul>
          <div className="mt-4 flex justify-end gap-2">
            <Button size="medium" onClick={() => onOpen(false)}>
              Cancel
            </Button>
            <Button
              size="medium"
              look="primary"
              disabled={chosen.size === 0 || start.isPending}
              onClick={() => start.mutate()}
            >
              Evaluate
            </Button>
          </div>
        </>
      )}
    </Dialog>
  )
}
