import { routes } from '@llm-eval/protocol'
import { useMutation } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { KeyRound, LoaderCircle } from 'lucide-react'
import { type FormEvent, useEffect, useRef } from 'react'
import { anything } from '../api/checks.ts'
import { readSignIn } from '../app/addresses.ts'
import { useParts } from '../app/parts.ts'
import { Button } from '../components/button.tsx'
import { wordOf } from '../components/field.tsx'
import { useCell } from '../stream/cell.ts'
import { sayError } from '../components/notice.tsx'

const route = getRouteApi('/signin')

/** Takes a key, or the link that the server printed, and goes on to where the reader wanted to go. */
export function SignInPage() {
  const { token, next } = route.useSearch({ select: readSignIn, structuralSharing: true })
  const { api, queryClient, feed } = useParts()
  const navigate = useNavigate()
  const { mutate, error, isPending } = useMutation({
    mutationFn: (body: { key: string } | { token: string }) => api({ route: routes.signIn, body, answer: anything }),
    async onSuccess() {
      queryClient.clear()
      feed.retry()
      await navigate({ href: next ?? '/', replace: true })
    },
  })
  // A link works once: also when React runs effects twice.
  const used = useRef(false)
  useEffect(() => {
    if (token === undefined || used.current) return
    used.current = true
    mutate({ token })
  }, [token, mutate])

  // Somebody signed in with another tab.
  const status = useCell(feed.status)
  const wasOut = useRef(false)
  useEffect(() => {
    if (status.state === 'signed_out') wasOut.current = true
    else if (status.state === 'live' && wasOut.current) void navigate({ href: next ?? '/', replace: true })
  }, [status, next, navigate])

  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const key = wordOf(new FormData(event.currentTarget), 'key')
    if (key !== '') mutate({ key })
  }

  return (
    <main className="flex min-h-dvh items-center justify-center p-4">
      <div className="card w-full max-w-sm animate-rise p-7">
        <img src="/favicon.svg" alt="" className="mb-5 size-10" />
        <h1 className="text-xl font-semibold">Sign in to llm-eval</h1>
        {token !== undefined && isPending ? (
          <p role="status" className="mt-3 flex items-center gap-2 text-ink-2">
            <LoaderCircle aria-hidden size={16} className="animate-spin" />
            Signing you in…
          </p>
        ) : (
          <form className="mt-1 flex flex-col gap-4" onSubmit={submit}>
            <p className="text-ink-2">
              Paste an API key with the scope read, or open the sign-in link that the server printed when it started.
            </p>
            {error && (
              <p role="alert" className="rounded-lg bg-bad-soft px-3 py-2 text-bad">
                {sayError(error)}
              </p>
            )}
            {/* Password managers want to know whose key it is. */}
            <input hidden readOnly name="who" autoComplete="username" value="llm-eval" />
            <label className="flex flex-col gap-1">
              <span className="text-sm font-medium text-ink-2">API key</span>
              <input
                name="key"
                type="password"
                required
                autoFocus
                autoComplete="current-password"
                spellCheck={false}
                className="h-10 rounded-lg border border-line bg-canvas px-3 font-mono text-sm hover:border-line-strong"
              />
            </label>
            <Button type="submit" look="primary" size="medium" className="justify-center" disabled={isPending}>
              <KeyRound aria-hidden size={15} />
              {isPending ? 'Signing in…' : 'Sign in'}
            </Button>
            <p className="text-sm text-ink-3">
              No key? Whoever runs the server makes one: <code className="font-mono text-xs">llm-eval keys create</code>
            </p>
          </form>
        )}
      </div>
    </main>
  )
}
