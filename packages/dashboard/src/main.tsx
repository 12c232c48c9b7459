import './app/style.css'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError, createApi } from './api/client.ts'
import { createQueries } from './api/queries.ts'
import { KeysProvider } from './app/keys.tsx'
import { type Parts, PartsContext } from './app/parts.ts'
import { createAppRouter } from './app/router.tsx'
import { createReviewer } from './app/reviewer.ts'
import { createRunLink } from './app/run-link.ts'
import { createTheme } from './app/theme.ts'
import { ToastProvider } from './app/toasts.tsx'
import { ClockProvider } from './components/time.tsx'
import { createRecent } from './stream/changes.ts'
import { createFeed } from './stream/feed.ts'
import { openLink } from './stream/link.ts'

function toSignIn(): void {
  const { pathname, searchStr } = router.state.location
  if (pathname === '/signin') return
  void router.navigate({ to: '/signin', search: { next: pathname + searchStr }, replace: true })
}

function makeParts(): Parts {
  const queryClient = new QueryClient({
    defaultOptions: {
      queries: {
        // The stream keeps what was read up to date, so nothing grows stale by itself.
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        // What the server refused it will refuse again.
        retry: (failures, error) =>
          failures < 2 && error instanceof ApiError && (error.code === 'unreachable' || error.status >= 502),
        // Its own idea of being online would keep requests back; a server on this machine needs no network.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  })
  const api = createApi({ fetch: (...call) => fetch(...call), onSignedOut: toSignIn })
  const recent = createRecent()
  const later = (callback: () => void, ms: number) => setTimeout(callback, ms)
  const feed = createFeed({ queryClient, recent, link: openLink, onSignedOut: toSignIn, now: Date.now, later })
  const queries = createQueries({ api, recent, mark: feed.mark })
  const [theme, reviewer] = [createTheme(storage()), createReviewer(storage())]
  const runLink = createRunLink(toSignIn)
  return { api, queries, feed, runLink, queryClient, theme, reviewer }
}

/** Some privacy settings take even the look at the storage for an offence. */
function storage(): Storage | undefined {
  try {
    return localStorage
  } catch {
    return undefined
  }
}

const parts = makeParts()
const router = createAppRouter(parts)
// What the page needs is on its way while it is drawn for the first time.
void router.load()
addEventListener('storage', () => parts.theme.follow())

const place = document.querySelector('#root')
if (place) {
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={parts.queryClient}>
        <PartsContext value={parts}>
          <ClockProvider>
            <ToastProvider>
              <KeysProvider>
                <RouterProvider router={router} />
              </KeysProvider>
            </ToastProvider>
          </ClockProvider>
        </PartsContext>
      </QueryClientProvider>
    </StrictMode>,
  )
}
