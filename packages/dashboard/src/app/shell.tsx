import { Link, Outlet, useLocation, useMatches, useNavigate } from '@tanstack/react-router'
import { Command, Monitor, Moon, Sun } from 'lucide-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react'
import { IconButton } from '../components/button.tsx'
import { formatCompact } from '../format/numbers.ts'
import { useCell } from '../stream/cell.ts'
import { ConnectionState } from './connection.tsx'
import { whenIdle } from './idle.ts'
import { useKeys } from './keys.tsx'
import { useParts } from './parts.ts'
import { places } from './places.ts'
import { type Theme, themes } from './theme.ts'

// Nobody needs them to see the page: they come after it.
const palette = () => import('./palette.tsx')
const cheatSheet = () => import('./cheat-sheet.tsx')
const Palette = lazy(async () => ({ default: (await palette()).Palette }))
const CheatSheet = lazy(async () => ({ default: (await cheatSheet()).CheatSheet }))

/** What stands around every page. */
export function Shell() {
  const [open, setOpen] = useState<'palette' | 'keys' | null>(null)
  const navigate = useNavigate()
  useKeys(
    [
      { keys: ['mod+k'], does: 'Open the command palette', run: () => setOpen('palette') },
      { keys: ['?'], does: 'Show the keys', run: () => setOpen('keys') },
      ...places.map(({ to, name, keys }) => ({
        keys: [keys],
        does: `Go to ${name}`,
        run: () => void navigate({ to }),
      })),
    ].map((binding) => ({ ...binding, everywhere: true })),
  )
  useTitle()
  const client = useQueryClient()
  useEffect(
    // A key pressed before they are there has them loaded at once; they are asked for early so that it need not wait.
    () => whenIdle(client, () => void Promise.allSettled([palette(), cheatSheet()])),
    [client],
  )

  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#main"
        className="sr-only z-50 rounded-lg bg-accent-solid px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the content
      </a>
      <header className="sticky top-0 z-30 border-b bg-surface/92 backdrop-blur-sm">
        <div className="flex h-12 items-center gap-1 px-3 sm:gap-4 sm:px-5">
          <Link to="/" className="flex items-center gap-2 font-semibold tracking-tight" aria-label="llm-eval, Live">
            <Mark />
            <span className="hidden lg:inline">llm-eval</span>
          </Link>
          <nav aria-label="Pages" className="hidden gap-0.5 sm:flex">
            {places.map((place) => (
              <Place key={place.to} {...place} />
            ))}
          </nav>
          <div className="ml-auto flex items-center gap-1 sm:gap-2">
            <ConnectionState />
            <span aria-hidden className="mx-1 hidden h-4 w-px bg-line sm:block" />
            <IconButton label="Command palette" onClick={() => setOpen('palette')} aria-keyshortcuts="Control+K">
              <Command aria-hidden size={16} />
            </IconButton>
            <ThemeButton />
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1} className="flex min-h-0 flex-1 flex-col pb-14 sm:pb-0">
        <Outlet />
      </main>
      <BottomPlaces />
      <Suspense fallback={null}>
        {open === 'palette' && <Palette open onOpen={() => setOpen(null)} onKeys={() => setOpen('keys')} />}
        {open === 'keys' && <CheatSheet open onOpen={() => setOpen(null)} />}
      </Suspense>
    </div>
  )
}

/** The pages on a narrow screen: as many as fit, the others a swipe away. */
function BottomPlaces() {
  const nav = useRef<HTMLElement>(null)
  const path = useLocation({ select: ({ pathname }) => pathname })
  useEffect(() => {
    nav.current?.querySelector('[aria-current=page]')?.scrollIntoView({ inline: 'center', block: 'nearest' })
  }, [path])
  return (
    <nav
      ref={nav}
      aria-label="Pages"
      className="fixed inset-x-0 bottom-0 z-30 flex overflow-x-auto border-t bg-surface pb-[env(safe-area-inset-bottom)] [scrollbar-width:none] sm:hidden"
    >
      {places.map(({ to, name, Icon }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to === '/', includeSearch: false }}
          className="flex h-13 min-w-17 flex-1 flex-col items-center justify-center gap-0.5 text-[0.5625rem] font-medium text-ink-2 aria-[current=page]:text-accent"
        >
          <Icon aria-hidden size={18} />
          {name}
        </Link>
      ))}
    </nav>
  )
}

function Place({ to, name, Icon, keys }: (typeof places)[number]) {
  return (
    <Link
      to={to}
      activeOptions={{ exact: to === '/', includeSearch: false }}
      title={`${name} (${keys.toUpperCase()})`}
      className="flex h-8 items-center gap-1.5 rounded-lg px-2 font-medium text-ink-2 transition-colors lg:px-2.5 hover:bg-hover hover:text-ink aria-[current=page]:bg-hover aria-[current=page]:text-ink"
    >
      <Icon aria-hidden size={15} className="hidden lg:block" />
      {name}
      {name === 'Review' && <PendingCount />}
    </Link>
  )
}

function PendingCount(): ReactNode {
  const { queries } = useParts()
  const { data } = useQuery(queries.metrics())
  if (!data || data.pending_traces === 0) return null
  return (
    <span className="rounded-full bg-wait-soft px-1.5 text-2xs font-semibold text-wait">
      {formatCompact(data.pending_traces)}
      <span className="sr-only"> pending</span>
    </span>
  )
}

const themeLooks: Record<Theme, { label: string; Icon: typeof Sun }> = {
  system: { label: 'Theme: as the system', Icon: Monitor },
  light: { label: 'Theme: light', Icon: Sun },
  dark: { label: 'Theme: dark', Icon: Moon },
}

function ThemeButton() {
  const { theme } = useParts()
  const chosen = useCell(theme.cell)
  const { label, Icon } = themeLooks[chosen]
  const next = themes[(themes.indexOf(chosen) + 1) % themes.length] ?? 'system'
  return (
    <IconButton label={label} onClick={() => theme.choose(next)}>
      <Icon aria-hidden size={16} />
    </IconButton>
  )
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden className="size-6">
      <rect width="32" height="32" rx="8" className="fill-accent-solid" />
      <path
        d="M6 17h5l3-8 5 14 3-6h4"
        fill="none"
        stroke="#fff"
        strokeWidth="2.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  )
}

/** The window's title names the page. */
function useTitle(): void {
  const matches = useMatches()
  const name = matches.findLast((match) => match.staticData.title)?.staticData.title
  useEffect(() => {
    document.title = name ? `${name} · llm-eval` : 'llm-eval'
  }, [name])
}
