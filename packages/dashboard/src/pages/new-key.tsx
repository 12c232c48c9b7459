import { type CreatedKey, routes, type Scope, scopes } from '@llm-eval/protocol'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import * as answers from '../api/answers.ts'
import { keys } from '../api/queries.ts'
import { useParts } from '../app/parts.ts'
import { Button } from '../components/button.tsx'
import { CopyButton } from '../components/copy-button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { Select, TextField, wordOf } from '../components/field.tsx'
import { sayError } from '../components/notice.tsx'

const scopeWords: Record<Scope, string> = {
  ingest: 'send traces; safe to place in a client',
  read: 'see traces, counters and streams',
  write: 'decide about traces and delete them',
  admin: 'everything, keys too',
}

const lives = [
  { value: '', label: 'Never' },
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In a year' },
]

export interface NewKeyProps {
  open: boolean
  onOpen: (open: boolean) => void
  onMade: (key: CreatedKey) => void
  /** There is none yet: the first one closes an open server, so it has to be one that can make others. */
  first: boolean
}

/** Makes a key. */
export function NewKey({ open, onOpen, onMade, first }: NewKeyProps) {
  const { api, queryClient } = useParts()
  const [chosen, setChosen] = useState<readonly Scope[]>(['ingest'])
  const make = useMutation({
    mutationFn: (body: { name: string; scopes: readonly Scope[]; expires_at: string | null }) =>
      api({ route: routes.createKey, body, answer: answers.createdKey }),
    onSuccess(key) {
      onOpen(false)
      onMade(key)
      setChosen(['ingest'])
      // The first key may make the server ask for one.
      void queryClient.invalidateQueries({ queryKey: keys.apiKeys })
      void queryClient.invalidateQueries({ queryKey: keys.session })
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const days = Number(form.get('days'))
    make.mutate({
      name: wordOf(form, 'name'),
      scopes: first ? ['admin'] : chosen,
      expires_at: days > 0 ? new Date(Date.now() + days * 86_400_000).toISOString() : null,
    })
  }
  return (
    <Dialog open={open} onOpen={onOpen} title="New API key">
      <form className="flex flex-col gap-4" onSubmit={submit}>
        <TextField
          label="Name"
          name="name"
          required
          maxLength={200}
          placeholder="Who or what uses it"
          className="h-9"
          autoComplete="off"
        />
        {first ? (
          <p className="rounded-lg bg-wait-soft px-3 py-2.5">
            This is the first key. It is an admin key that does not expire, and once it exists everybody needs a key;
            this browser stays signed in with it.
          </p>
        ) : (
          <>
            <Scopes chosen={chosen} onChoose={setChosen} />
            <Select label="Expires" name="days" choices={lives} className="h-9" />
          </>
        )}
        {make.error && (
          <p role="alert" className="text-bad">
            {sayError(make.error)}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button size="medium" onClick={() => onOpen(false)}>
            Cancel
          </Button>
          <Button
            size="medium"
            look="primary"
            type="submit"
            disabled={make.isPending || (!first && chosen.length === 0)}
          >
            Make the key
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function Scopes({ chosen, onChoose }: { chosen: readonly Scope[]; onChoose: (scopes: readonly Scope[]) => void }) {
  return (
    <fieldset>
      <legend className="mb-1 text-sm font-medium text-ink-2">It may</legend>
      {scopes.map((scope) => (
        <label key={scope} className="flex items-baseline gap-2.5 rounded-lg px-1 py-1.5 hover:bg-hover">
          <input
            type="checkbox"
            className="translate-y-0.5"
            checked={chosen.includes(scope)}
            onChange={({ target }) =>
              onChoose(target.checked ? [...chosen, scope] : chosen.filter((other) => other !== scope))
            }
          />
          <span className="w-14 font-medium">{scope}</span>
          <span className="text-ink-2">{scopeWords[scope]}</span>
        </label>
      ))}
    </fieldset>
  )
}

/** The only time a key is seen. */
export function ShownOnce({ made, onDone }: { made: CreatedKey | null; onDone: () => void }) {
  return (
    <Dialog
      open={made !== null}
      onOpen={(open) => !open && onDone()}
      title="Copy the key now"
      says="It is not stored anywhere and cannot be shown again."
    >
      {made && (
        <>
          <div className="flex items-center gap-2 rounded-lg border border-line bg-sunken py-2 pr-2 pl-3">
            <code data-new-key className="min-w-0 flex-1 font-mono text-sm break-all">
              {made.key}
            </code>
            <CopyButton text={() => made.key} name="the key" label="Copy" look="primary" />
          </div>
          <div className="mt-4 flex justify-end">
            <Button size="medium" onClick={onDone}>
              I have it
            </Button>
          </div>
        </>
      )}
    </Dialog>
  )
}
