import { type ApiKey, type CreatedKey, routes, type SessionInfo } from '@llm-eval/protocol'
import { useMutation, useQuery } from '@tanstack/react-query'
import { KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { anything } from '../api/checks.ts'
import { keys } from '../api/queries.ts'
import { useMay, useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Button } from '../components/button.tsx'
import { Confirm } from '../components/dialog.tsx'
import { Loading, sayError, Trouble } from '../components/notice.tsx'
import { Part } from '../components/part.tsx'
import { Ago, useNow } from '../components/time.tsx'
import { formatTime } from '../format/times.ts'
import { NewKey, ShownOnce } from './new-key.tsx'

/** The keys with which programs and people get in. */
export function ApiKeys({ session }: { session: SessionInfo | undefined }) {
  const { queries } = useParts()
  const may = useMay('admin')
  const [making, setMaking] = useState(false)
  const [made, setMade] = useState<CreatedKey | null>(null)
  const { data, error, refetch } = useQuery({ ...queries.apiKeys(), enabled: may })
  const first =
    data !== undefined && session?.auth_required === false && data.items.every((key) => key.revoked_at !== null)

  return (
    <Part
      title="API keys"
      says="A key lets a program or a person in. It can do no more than its scopes say, and is shown only once."
      beside={
        may && (
          <Button size="medium" look="primary" onClick={() => setMaking(true)}>
            <Plus aria-hidden size={15} />
            New key
          </Button>
        )
      }
    >
      {!may ? (
        <p className="card p-4 text-ink-2">Only a key with the scope admin may see and change the keys.</p>
      ) : error && !data ? (
        <Trouble what="The keys cannot be listed" error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Loading what="the keys" />
      ) : data.items.length === 0 ? (
        <p className="card flex items-center gap-3 p-4 text-ink-2">
          <KeyRound aria-hidden size={16} className="shrink-0" />
          {session?.auth_required
            ? 'There are no keys besides the one of the operator.'
            : 'No keys yet, and none is needed on this machine.'}
        </p>
      ) : (
        <KeyList list={data.items} />
      )}
      <NewKey first={first} open={making} onOpen={setMaking} onMade={setMade} />
      <ShownOnce made={made} onDone={() => setMade(null)} />
    </Part>
  )
}

function KeyList({ list }: { list: readonly ApiKey[] }) {
  return (
    <ul aria-label="API keys" className="card divide-y divide-line/70">
      {list.map((key) => (
        <KeyRow key={key.id} apiKey={key} />
      ))}
    </ul>
  )
}

function KeyRow({ apiKey }: { apiKey: ApiKey }) {
  const { api, queryClient } = useParts()
  const toasts = useToasts()
  const now = useNow()
  const [asking, setAsking] = useState(false)
  const revoke = useMutation({
    mutationFn: () => api({ route: routes.revokeKey, path: { key_id: apiKey.id }, answer: anything }),
    onSuccess: () => setAsking(false),
    onError: (error) => toasts.show({ text: `The key was not revoked. ${sayError(error)}`, mood: 'bad' }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.apiKeys }),
  })
  const expired = apiKey.expires_at !== null && Date.parse(apiKey.expires_at) <= now
  const over = apiKey.revoked_at !== null || expired
  return (
    <li className={`flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3 ${over ? 'text-ink-3' : ''}`}>
      <div className="min-w-40 flex-1">
        <p className="flex flex-wrap items-center gap-x-2">
          <span className={`foreign font-medium ${over ? 'line-through' : ''}`}>{apiKey.name}</span>
          <code className="font-mono text-xs text-ink-3">{apiKey.prefix}…</code>
        </p>
        <p className="text-sm text-ink-3">
          {apiKey.revoked_at ? (
            <>
              revoked <Ago time={apiKey.revoked_at} />
            </>
          ) : (
            <>
              made <Ago time={apiKey.created_at} />
              {' · '}
              {apiKey.last_used_at ? (
                <>
                  used <Ago time={apiKey.last_used_at} />
                </>
              ) : (
                'never used'
              )}
              {apiKey.expires_at && ` · ${expired ? 'expired' : 'expires'} ${formatTime(apiKey.expires_at)}`}
            </>
          )}
        </p>
      </div>
      <ul aria-label="Scopes" className="flex gap-1">
        {apiKey.scopes.map((scope) => (
          <li key={scope} className="rounded-full bg-hover px-2 text-xs leading-5 font-medium text-ink-2">
            {scope}
          </li>
        ))}
      </ul>
      <span className="w-20 text-right">
        {!over && (
          <Button onClick={() => setAsking(true)} aria-label={`Revoke ${apiKey.name}`}>
            Revoke…
          </Button>
        )}
      </span>
      <Confirm
        open={asking}
        onOpen={setAsking}
        title={`Revoke “${apiKey.name}”?`}
        says="Whatever uses this key is refused from then on. A revoked key cannot come back."
        action="Revoke"
        busy={revoke.isPending}
        onConfirm={() => revoke.mutate()}
      />
    </li>
  )
}
