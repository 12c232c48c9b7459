import { useNavigate } from '@tanstack/react-router'
import { Search } from 'lucide-react'
import { type KeyboardEvent, useId, useMemo, useState } from 'react'
import { Key } from '../components/button.tsx'
import { BareDialog } from '../components/dialog.tsx'
import { keyLabels } from './keymap.ts'
import { useParts } from './parts.ts'
import { places } from './places.ts'

interface Entry {
  name: string
  run(): void
  keys?: string
}

interface PaletteProps {
  open: boolean
  onOpen: (open: boolean) => void
  onKeys: () => void
}

/** Everything there is to do, found by typing. */
export function Palette({ open, onOpen, onKeys }: PaletteProps) {
  return (
    <BareDialog open={open} onOpen={onOpen} title="Command palette">
      <Finder onDone={() => onOpen(false)} onKeys={onKeys} />
    </BareDialog>
  )
}

function Finder({ onDone, onKeys }: { onDone: () => void; onKeys: () => void }) {
  const [typed, setTyped] = useState('')
  const [at, setAt] = useState(0)
  const entries = useEntries(typed, onKeys)
  const id = useId()
  const chosen = Math.min(at, entries.length - 1)

  const press = (entry: Entry | undefined): void => {
    if (!entry) return
    onDone()
    entry.run()
  }
  const onKey = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) setAt((chosen + step + entries.length) % entries.length)
    else if (event.key === 'Enter') press(entries[chosen])
    else return
    event.preventDefault()
  }

  return (
    <>
      <div className="flex items-center gap-2.5 border-b px-4">
        <Search aria-hidden size={16} className="shrink-0 text-ink-3" />
        <input
          // The palette was opened to type here.
          autoFocus
          role="combobox"
          aria-label="Search commands, or paste a trace id"
          aria-expanded
          aria-controls={id}
          aria-activedescendant={`${id}-${chosen}`}
          placeholder="Go to, search for, open a trace by its id…"
          className="h-12 w-full bg-transparent text-lg outline-none"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value)
            setAt(0)
          }}
          onKeyDown={onKey}
        />
      </div>
      <div role="listbox" id={id} aria-label="Commands" className="max-h-80 overflow-auto p-1.5">
        {entries.map((entry, index) => (
          <div
            key={entry.name}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            className="flex cursor-pointer items-center gap-3 rounded-lg px-3 py-2 aria-selected:bg-hover"
            onPointerMove={() => setAt(index)}
            onClick={() => press(entry)}
            onKeyDown={() => {}}
          >
            <span className="min-w-0 flex-1 clip">{entry.name}</span>
            {entry.keys && (
              <span className="flex gap-1">
                {keyLabels(entry.keys, false).map((label) => (
                  <Key key={label}>{label}</Key>
                ))}
              </span>
            )}
          </div>
        ))}
      </div>
    </>
  )
}

function useEntries(typed: string, onKeys: () => void): Entry[] {
  const navigate = useNavigate()
  const { theme } = useParts()
  const fixed = useMemo<Entry[]>(
    () => [
      ...places.map(({ to, name, keys }) => ({ name: `Go to ${name}`, keys, run: () => void navigate({ to }) })),
      { name: 'Show rejected traces', run: () => void navigate({ to: '/traces', search: { status: 'rejected' } }) },
      { name: 'Show traces of the last hour', run: () => void navigate({ to: '/traces', search: { range: '1h' } }) },
      { name: 'New run', run: () => void navigate({ to: '/new-run' }) },
      { name: 'Show running runs', run: () => void navigate({ to: '/runs', search: { status: 'running' } }) },
      { name: 'Theme: as the system', run: () => theme.choose('system') },
      { name: 'Theme: light', run: () => theme.choose('light') },
      { name: 'Theme: dark', run: () => theme.choose('dark') },
      { name: 'Show the keys', keys: '?', run: onKeys },
      { name: 'Read the API description', run: () => location.assign('/docs') },
    ],
    [navigate, theme, onKeys],
  )
  const words = typed.trim()
  if (words === '') return fixed
  const wanted = words.toLowerCase().split(/\s+/)
  const found = fixed.filter(({ name }) => wanted.every((word) => name.toLowerCase().includes(word)))
  return [
    ...found,
    { name: `Search traces for “${words}”`, run: () => void navigate({ to: '/traces', search: { q: words } }) },
    {
      name: `Open the trace “${words}”`,
      run: () => void navigate({ to: '/traces/$traceId', params: { traceId: words } }),
    },
  ]
}
