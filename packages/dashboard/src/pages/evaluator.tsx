import type { EvaluatorInfo, Field } from '@llm-eval/protocol'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowLeft, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { ApiError } from '../api/client.ts'
import { deleteEvaluator, type EvaluatorDetail, evaluationQueries } from '../api/evaluation.ts'
import { useMay, useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { IconButton } from '../components/button.tsx'
import { Confirm } from '../components/dialog.tsx'
import { JsonView } from '../components/json-view.tsx'
import { Loading, Notice, sayError, Trouble } from '../components/notice.tsx'
import { Part } from '../components/part.tsx'
import { Ago } from '../components/time.tsx'
import { CalibrationPart } from './calibration.tsx'
import { TryEvaluator } from './try-evaluator.tsx'

const route = getRouteApi('/shell/evaluators/$slug')

/** One evaluator: what it means, how to try it, how far people agree with it. */
export function EvaluatorPage() {
  const { slug } = route.useParams()
  const { api } = useParts()
  const evaluation = evaluationQueries(api)
  const { data, error, refetch } = useQuery(evaluation.evaluator(slug))
  return (
    <div className="mx-auto flex w-full max-w-5xl flex-col gap-7 p-3 sm:p-6">
      <Link to="/evaluators" className="flex items-center gap-1.5 self-start font-medium text-ink-2 hover:text-ink">
        <ArrowLeft aria-hidden size={15} />
        Evaluators
      </Link>
      {data ? (
        <Body key={data.slug} info={data} />
      ) : error instanceof ApiError && error.status === 404 ? (
        <Notice title="There is no such evaluator">Nothing is called “{slug}”. It may have been deleted.</Notice>
      ) : error ? (
        <Trouble what="The evaluator cannot be shown" error={error} onRetry={() => void refetch()} />
      ) : (
        <Loading what="the evaluator" />
      )}
    </div>
  )
}

function Body({ info }: { info: EvaluatorDetail }) {
  return (
    <>
      <Head info={info} />
      <Part title="Try it" says="Nothing is kept but the execution itself; no trace gets a score.">
        <TryEvaluator info={info} />
      </Part>
      <Part title="Inputs">
        <Fields fields={info.input_schema} none="It takes nothing." />
      </Part>
      {info.output_schema.length > 0 && (
        <Part title="Result fields">
          <Fields fields={info.output_schema} none="" />
        </Part>
      )}
      <CalibrationPart slug={info.slug} measured={info.calibrated_at !== null} />
      {info.source === 'custom' && <Versions slug={info.slug} />}
    </>
  )
}

function rangeWords({ range: { min, max }, direction }: EvaluatorInfo): string {
  const from = min === null ? 'without a lower bound' : `from ${min}`
  const to = max === null ? 'without an upper bound' : `to ${max}`
  const better = direction === null ? '' : direction === 'higher' ? ', more is better' : ', less is better'
  return `${from} ${to}${better}`
}

function Head({ info }: { info: EvaluatorDetail }) {
  const facts: [string, string][] = [
    ['kind', info.kind],
    ['category', info.category],
    ['value', rangeWords(info)],
    ['needs', info.needs.length === 0 ? 'its inputs only' : info.needs.join(', ').replaceAll('_', ' ')],
    ['version', `${info.version.slice(0, 12)}${info.pinned ? '' : ' (not pinned)'}`],
  ]
  return (
    <header className="-mt-3">
      <div className="flex items-start gap-2">
        <h1 className="foreign min-w-0 text-xl font-semibold">{info.name}</h1>
        {info.source === 'custom' && <Remove slug={info.slug} name={info.name} />}
      </div>
      <p className="foreign mt-1 max-w-2xl text-ink-2">{info.description}</p>
      <p className="mt-2 flex flex-wrap gap-x-4 gap-y-0.5 text-sm text-ink-2">
        <code className="foreign font-mono">{info.slug}</code>
        {facts.map(([name, value]) => (
          <span key={name}>
            <span className="text-ink-3">{name}</span> {value}
          </span>
        ))}
        {info.aliases.length > 0 && (
          <span>
            <span className="text-ink-3">also</span> {info.aliases.join(', ')}
          </span>
        )}
      </p>
    </header>
  )
}

function Remove({ slug, name }: { slug: string; name: string }) {
  const { api, queryClient } = useParts()
  const may = useMay('write')
  const toasts = useToasts()
  const navigate = route.useNavigate()
  const [asking, setAsking] = useState(false)
  const removal = useMutation({
    mutationFn: () => deleteEvaluator(api, slug),
    async onSuccess() {
      await navigate({ to: '/evaluators' })
      await queryClient.invalidateQueries({ queryKey: ['evaluators'] })
    },
    onError: (error) => toasts.show({ text: `The evaluator was not deleted. ${sayError(error)}`, mood: 'bad' }),
  })
  if (!may) return null
  return (
    <>
      <IconButton label={`Delete ${name}`} onClick={() => setAsking(true)}>
        <Trash2 aria-hidden size={15} />
      </IconButton>
      <Confirm
        open={asking}
        onOpen={setAsking}
        title={`Delete “${name}”?`}
        says="It leaves the catalogue. Scores it gave stay where they are."
        action="Delete"
        busy={removal.isPending}
        onConfirm={() => removal.mutate()}
      />
    </>
  )
}

function Fields({ fields, none }: { fields: readonly Field[]; none: string }) {
  if (fields.length === 0) return <p className="text-ink-3">{none}</p>
  return (
    <dl className="card divide-y divide-line/70">
      {fields.map(({ name, type, description, required, enum_values }) => (
        <div key={name} className="flex flex-wrap gap-x-4 px-4 py-2">
          <dt className="w-48 min-w-0">
            <code className="foreign font-mono text-sm">{name}</code>{' '}
            <span className="text-xs text-ink-3">
              {type}
              {!required && ', optional'}
            </span>
          </dt>
          <dd className="foreign min-w-48 flex-1 text-sm text-ink-2">
            {description}
            {enum_values && ` One of ${enum_values.join(', ')}.`}
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Versions({ slug }: { slug: string }) {
  const { api } = useParts()
  const evaluation = evaluationQueries(api)
  const { data, error, refetch } = useQuery(evaluation.versions(slug))
  return (
    <Part title="Versions" says="A version never changes; whatever scores depend on makes a new one.">
      {data ? (
        <ul aria-label="Versions" className="card divide-y divide-line/70">
          {data.items.map(({ version, created_at, definition }) => (
            <li key={version}>
              <details>
                <summary className="flex gap-4 px-4 py-2 hover:bg-hover">
                  <code className="font-mono text-sm">{version.slice(0, 12)}</code>
                  <span className="ml-auto text-sm text-ink-3">{created_at !== null && <Ago time={created_at} />}</span>
                </summary>
                <div className="px-4 pb-3">
                  <JsonView value={definition} name={`version ${version.slice(0, 12)}`} />
                </div>
              </details>
            </li>
          ))}
        </ul>
      ) : error ? (
        <Trouble what="The versions cannot be listed" error={error} onRetry={() => void refetch()} />
      ) : (
        <Loading what="the versions" />
      )}
    </Part>
  )
}
