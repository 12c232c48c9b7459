import type { Rule } from '@llm-eval/protocol'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { changeRule, createRule, deleteRule, type RuleRequest, evaluationQueries } from '../api/evaluation.ts'
import { useMay, useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Button } from '../components/button.tsx'
import { Confirm, Dialog, FormEnd } from '../components/dialog.tsx'
import { TextField, wordOf } from '../components/field.tsx'
import { Loading, Notice, sayError, Trouble } from '../components/notice.tsx'
import { formatCost, formatCount, formatPercent } from '../format/numbers.ts'

/** Rules by which new traces are evaluated. */
export function Rules() {
  const { api } = useParts()
  const evaluation = evaluationQueries(api)
  const may = useMay('write')
  const [making, setMaking] = useState(false)
  const { data, error, refetch } = useQuery(evaluation.rules())
  return (
    <>
      <div className="flex flex-wrap items-center gap-3">
        <p className="mr-auto max-w-xl text-ink-2">
          A rule evaluates new traces as they come. Its daily limit fails closed: a cost nobody knows ends the day's
          work too.
        </p>
        {may && (
          <Button size="medium" look="primary" onClick={() => setMaking(true)}>
            <Plus aria-hidden size={15} />
            New rule
          </Button>
        )}
      </div>
      {error && !data ? (
        <Trouble what="The rules cannot be listed" error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Loading what="the rules" />
      ) : data.items.length === 0 ? (
        <Notice title="No rules yet">New traces are evaluated only when somebody asks for it.</Notice>
      ) : (
        <ul aria-label="Rules" className="card divide-y divide-line/70">
          {data.items.map((rule) => (
            <RuleRow key={rule.id} rule={rule} />
          ))}
        </ul>
      )}
      <NewRule open={making} onOpen={setMaking} />
    </>
  )
}

function RuleRow({ rule }: { rule: Rule }) {
  const { api, queryClient } = useParts()
  const evaluation = evaluationQueries(api)
  const may = useMay('write')
  const toasts = useToasts()
  const [asking, setAsking] = useState(false)
  const settle = {
    onError: (error: Error) => toasts.show({ text: `The rule was not changed. ${sayError(error)}`, mood: 'bad' }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: evaluation.rules().queryKey }),
  }
  const turn = useMutation({ mutationFn: () => changeRule(api, rule.id, { enabled: !rule.enabled }), ...settle })
  const removal = useMutation({ mutationFn: () => deleteRule(api, rule.id), ...settle })
  const { executions, cost, unknown_costs, limited } = rule.today
  const filter = Object.entries(rule.filter).map(([name, value]) => `${name.replace(/_(name|id)$/, '')} ${value}`)
  return (
    <li className={`flex flex-wrap items-center gap-x-4 gap-y-1.5 px-4 py-3 ${rule.enabled ? '' : 'text-ink-3'}`}>
      <div className="min-w-56 flex-1">
        <p className="foreign font-medium">{rule.name}</p>
        <p className="foreign text-sm text-ink-3">
          {formatPercent(rule.sampling_rate * 100)} of {filter.length === 0 ? 'all traces' : filter.join(', ')} ·{' '}
          {rule.evaluators.map(({ slug }) => slug).join(', ')}
        </p>
      </div>
      <p className="text-sm text-ink-2">
        today {formatCount(executions)} · {formatCost(cost)}
        {rule.daily_cost_limit !== null && ` of ${formatCost(rule.daily_cost_limit)}`}
        {unknown_costs > 0 && ` · ${formatCount(unknown_costs)} of unknown cost`}
        {limited > 0 && ` · ${formatCount(limited)} passed over`}
      </p>
      {may && (
        <span className="flex gap-2">
          <Button aria-pressed={rule.enabled} disabled={turn.isPending} onClick={() => turn.mutate()}>
            {rule.enabled ? 'On' : 'Off'}
          </Button>
          <Button onClick={() => setAsking(true)} aria-label={`Delete ${rule.name}`}>
            Delete…
          </Button>
        </span>
      )}
      <Confirm
        open={asking}
        onOpen={setAsking}
        title={`Delete the rule “${rule.name}”?`}
        says="New traces are no longer evaluated by it. Scores it asked for stay."
        action="Delete"
        busy={removal.isPending}
        onConfirm={() => removal.mutate()}
      />
    </li>
  )
}

function NewRule({ open, onOpen }: { open: boolean; onOpen: (open: boolean) => void }) {
  const { api, queryClient } = useParts()
  const evaluation = evaluationQueries(api)
  const [fault, setFault] = useState<string>()
  const { data } = useQuery({ ...evaluation.evaluators(), enabled: open })
  const create = useMutation({
    mutationFn: (body: RuleRequest) => createRule(api, body),
    onSuccess() {
      onOpen(false)
      setFault(undefined)
    },
    onError: (error) => setFault(sayError(error)),
    onSettled: () => queryClient.invalidateQueries({ queryKey: evaluation.rules().queryKey }),
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const limit = wordOf(form, 'limit')
    create.mutate({
      name: wordOf(form, 'name'),
      filter: Object.fromEntries(
        (['model_name', 'source'] as const).flatMap((name) => (wordOf(form, name) ? [[name, wordOf(form, name)]] : [])),
      ),
      sampling_rate: Number(wordOf(form, 'share')) / 100,
      evaluators: wordOf(form, 'evaluators')
        .split(/[\s,]+/)
        .filter((slug) => slug !== '')
        .map((slug) => ({ slug })),
      daily_cost_limit: limit === '' ? null : Number(limit),
    })
  }
  return (
    <Dialog open={open} onOpen={onOpen} title="New rule" says="Evaluates new traces as they come.">
      <form aria-label="New rule" className="flex flex-col gap-3" onSubmit={submit}>
        <TextField label="Name" name="name" required />
        <TextField
          label="Evaluators (slugs)"
          name="evaluators"
          required
          list="evaluator-slugs"
          placeholder="faithfulness, pii-detector"
        />
        <datalist id="evaluator-slugs">
          {data?.items.map(({ slug }) => (
            <option key={slug} value={slug} />
          ))}
        </datalist>
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField label="Model (any if empty)" name="model_name" />
          <TextField label="Source (any if empty)" name="source" />
          <TextField
            label="Share of traces, %"
            name="share"
            required
            inputMode="decimal"
            pattern="\d+(\.\d+)?"
            defaultValue="100"
          />
          <TextField label="Daily limit, $ (none if empty)" name="limit" inputMode="decimal" pattern="\d+(\.\d+)?" />
        </div>
        <FormEnd fault={fault} action="Create" busy={create.isPending} onCancel={() => onOpen(false)} />
      </form>
    </Dialog>
  )
}
