import type { EvaluatorInfo } from '@llm-eval/protocol'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { createEvaluator } from '../api/evaluation.ts'
import { useParts } from '../app/parts.ts'
import { Dialog, FormEnd } from '../components/dialog.tsx'
import { Segments, Select, TextField, wordOf } from '../components/field.tsx'
import { sayError } from '../components/notice.tsx'

const kinds = ['judge', 'preset', 'remote'] as const
type Kind = (typeof kinds)[number]

const says: Record<Kind, string> = {
  judge: 'A language model judges by your words. {{name}} places are filled with the inputs, fenced as untrusted.',
  preset: 'A built-in evaluator under a name and with a configuration of your own.',
  remote: 'Your own HTTP endpoint: it gets {input, config} and answers {score, passed, explanation}.',
}

/** Makes an evaluator of one's own. */
export function NewEvaluator({
  open,
  onOpen,
  catalogue,
}: {
  open: boolean
  onOpen: (open: boolean) => void
  catalogue: readonly EvaluatorInfo[]
}) {
  const { api, queryClient } = useParts()
  const navigate = useNavigate()
  const [kind, setKind] = useState<Kind>('judge')
  const [fault, setFault] = useState<string>()
  const create = useMutation({
    mutationFn: (form: FormData) =>
      createEvaluator(api, {
        slug: wordOf(form, 'slug'),
        ...(wordOf(form, 'name') === '' ? {} : { name: wordOf(form, 'name') }),
        description: wordOf(form, 'description'),
        definition: definitionOf(kind, form),
      }),
    async onSuccess({ slug }) {
      onOpen(false)
      setFault(undefined)
      await queryClient.invalidateQueries({ queryKey: ['evaluators'] })
      await navigate({ to: '/evaluators/$slug', params: { slug } })
    },
    onError: (error) => setFault(sayError(error)),
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    create.mutate(new FormData(event.currentTarget))
  }
  return (
    <Dialog open={open} onOpen={onOpen} title="New evaluator" says={says[kind]} width="max-w-2xl">
      <form aria-label="New evaluator" className="flex flex-col gap-3" onSubmit={submit}>
        <div className="self-start">
          <Segments label="Kind" choices={kinds} chosen={kind} onChoose={setKind} />
        </div>
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            label="Slug"
            name="slug"
            required
            pattern="[a-z0-9]+([_\-][a-z0-9]+)*"
            placeholder="polite-answer"
          />
          <TextField label="Name (optional)" name="name" placeholder="Polite answer" />
        </div>
        <TextField label="Description" name="description" placeholder="What its value means, and what passes" />
        <Definition kind={kind} catalogue={catalogue} />
        <FormEnd fault={fault} action="Create" busy={create.isPending} onCancel={() => onOpen(false)} />
      </form>
    </Dialog>
  )
}

function Definition({ kind, catalogue }: { kind: Kind; catalogue: readonly EvaluatorInfo[] }) {
  if (kind === 'remote')
    return <TextField label="URL" name="url" type="url" required placeholder="https://eval.example.com/score" />
  if (kind === 'preset')
    return (
      <>
        <Select
          label="Built-in evaluator"
          name="base"
          choices={catalogue
            .filter(({ source }) => source === 'builtin')
            .map(({ slug, name }) => ({ value: slug, label: name }))}
        />
        <Text label="Configuration, JSON" name="config" rows={4} value="{}" />
      </>
    )
  return (
    <>
      <Text
        label="What the model is asked"
        name="prompt"
        rows={6}
        value={'Is the answer polite?\n\nQuestion: {{query}}\n\nAnswer: {{response}}'}
      />
      <Text
        label="Choices and their scores, one a line"
        name="choices"
        rows={3}
        value={'polite 1\nneutral 0.5\nrude 0'}
      />
      <TextField label="Model (optional)" name="model" placeholder="provider/model; the server's default if empty" />
    </>
  )
}

function Text({ label, name, rows, value }: { label: string; name: string; rows: number; value: string }) {
  return (
    <label className="flex flex-col gap-1">
      <span className="text-sm font-medium text-ink-2">{label}</span>
      <textarea
        name={name}
        rows={rows}
        defaultValue={value}
        className="rounded-lg border border-line bg-surface px-2.5 py-1.5 font-mono text-sm hover:border-line-strong"
      />
    </label>
  )
}

/** What is sent as the definition. Inputs of a judge are the places in its words. */
function definitionOf(kind: Kind, form: FormData): Record<string, unknown> {
  const input = [
    { name: 'query', type: 'string', required: false },
    { name: 'response', type: 'string', required: true },
  ]
  if (kind === 'remote') return { kind, url: wordOf(form, 'url'), input }
  if (kind === 'preset')
    return { kind, base: wordOf(form, 'base'), config: JSON.parse(wordOf(form, 'config') || '{}') as unknown }
  const prompt = wordOf(form, 'prompt')
  const places = [...new Set([...prompt.matchAll(/\{\{\s*([\w-]+)\s*\}\}/g)].map(([, place = '']) => place))]
  const choices = wordOf(form, 'choices')
    .split('\n')
    .flatMap((line) => {
      const [, choice, score] = /^\s*(.+?)[\s:=]+(\d+(?:\.\d+)?)\s*$/.exec(line) ?? []
      return choice === undefined ? [] : [[choice, Number(score)] as const]
    })
  return {
    kind,
    messages: [{ role: 'user', content: prompt }],
    input: places.map((name) => ({ name, type: 'string', required: true })),
    choices: choices.length === 0 ? null : Object.fromEntries(choices),
    model: wordOf(form, 'model') || null,
  }
}
