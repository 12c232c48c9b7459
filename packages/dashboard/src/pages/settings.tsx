import type { SessionInfo, SettingsInfo } from '@llm-eval/protocol'
import { routes } from '@llm-eval/protocol'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { LogOut, ShieldCheck } from 'lucide-react'
import type { ReactNode } from 'react'
import { anything } from '../api/checks.ts'
import { useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Button } from '../components/button.tsx'
import { TextField } from '../components/field.tsx'
import { Loading, sayError, Trouble } from '../components/notice.tsx'
import { Part } from '../components/part.tsx'
import { formatCount, unknown } from '../format/numbers.ts'
import { formatDays } from '../format/times.ts'
import { useCell } from '../stream/cell.ts'
import { ApiKeys } from './api-keys.tsx'

/** How this server is set up, and who may use it. */
export function SettingsPage() {
  const { queries } = useParts()
  const settings = useQuery(queries.settings())
  const { data: session } = useQuery(queries.session())
  return (
    <div className="mx-auto flex w-full max-w-4xl flex-col gap-8 p-3 sm:p-6">
      <h1 className="text-xl font-semibold max-sm:sr-only">Settings</h1>
      {session && <You session={session} />}
      <ApiKeys session={session} />
      {settings.data ? (
        <Server settings={settings.data} />
      ) : settings.error ? (
        <Trouble what="The settings cannot be shown" error={settings.error} onRetry={() => void settings.refetch()} />
      ) : (
        <Loading what="the settings" />
      )}
    </div>
  )
}

function You({ session }: { session: SessionInfo }) {
  const { api, feed, queryClient } = useParts()
  const navigate = useNavigate()
  const toasts = useToasts()
  const leave = useMutation({
    mutationFn: () => api({ route: routes.signOut, answer: anything }),
    async onSuccess() {
      // The stream was opened in this session too: it ends, and every tab learns of it.
      feed.retry()
      await navigate({ to: '/signin' })
      queryClient.clear()
    },
    onError: (error) => toasts.show({ text: `Still signed in. ${sayError(error)}`, mood: 'bad' }),
  })
  if (!session.auth_required) return <Open />
  return (
    <Part
      title="You"
      beside={
        <Button size="medium" disabled={leave.isPending} onClick={() => leave.mutate()}>
          <LogOut aria-hidden size={15} />
          Sign out
        </Button>
      }
    >
      <Rows
        rows={[
          ['Signed in as', <span className="foreign">{session.name ?? unknown}</span>],
          ['Project', <span className="foreign">{session.project}</span>],
          ['May', session.scopes.join(', ')],
        ]}
      />
    </Part>
  )
}

/** A server on loopback without keys. */
function Open() {
  const { reviewer } = useParts()
  const name = useCell(reviewer.cell)
  return (
    <Part title="You">
      <div className="card flex gap-3 p-4">
        <ShieldCheck aria-hidden size={18} className="mt-0.5 shrink-0 text-good" />
        <div className="min-w-0 flex-1">
          <p className="font-medium">Everything is open, on this machine only</p>
          <p className="mt-0.5 text-ink-2">
            The server listens on this machine alone and has no keys, so nobody signs in and every program here may read
            and write. To let others in, start it with another host:{' '}
            <code className="font-mono text-xs">npm start -- --host 0.0.0.0</code>. It then makes an admin key and asks
            everybody for one.
          </p>
          <div className="mt-4 max-w-xs">
            <TextField
              label="Your name, beside your verdicts"
              maxLength={100}
              autoComplete="name"
              defaultValue={name}
              onBlur={(event) => reviewer.rename(event.target.value)}
            />
          </div>
        </div>
      </div>
    </Part>
  )
}

function Server({ settings }: { settings: SettingsInfo }) {
  const { rate_limits: rates, webhook_secrets: secrets } = settings
  const rate = (limit: number): string => (limit === 0 ? 'no limit' : `${formatCount(limit)} per minute`)
  const lag = (events: number): string => (events === 0 ? 'up to date' : `${formatCount(events)} events behind`)
  return (
    <>
      <Part title="Webhook secrets" says="Requests to the webhook can prove who wrote them by a signature.">
        <Rows
          rows={[
            [
              'Status',
              secrets === 0
                ? 'None is set: unsigned requests are taken.'
                : `${secrets === 1 ? 'One secret is' : `${secrets} secrets are`} active: requests must be signed, or carry a key.`,
            ],
            ['How to set one', <code className="font-mono text-xs">WEBHOOK_SECRET=whsec_… npm start</code>],
          ]}
        />
      </Part>
      <Part title="Server">
        <Rows
          rows={[
            ['Version', settings.version],
            ['Node.js', settings.node],
            ['Storage', settings.storage === 'sqlite' ? 'SQLite, embedded' : 'PostgreSQL'],
            ['Traces are kept', formatDays(settings.retention_days)],
            ['Events are kept', formatDays(settings.event_retention_days)],
            ['Search index', lag(settings.search_lag)],
            ['Plots', lag(settings.rollup_lag)],
            ['Traces taken', rate(rates.traces_per_minute)],
            ['Reads', rate(rates.reads_per_minute)],
            ['Streams opened', rate(rates.streams_per_minute)],
          ]}
        />
      </Part>
    </>
  )
}

function Rows({ rows }: { rows: readonly [string, ReactNode][] }) {
  return (
    <dl className="card divide-y divide-line/70">
      {rows.map(([name, value]) => (
        <div key={name} className="flex flex-wrap gap-x-4 px-4 py-2.5">
          <dt className="w-44 text-ink-2">{name}</dt>
          <dd className="min-w-0 flex-1 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
