import { ChevronRight } from 'lucide-react'
import { useState } from 'react'
import { ExactNumber, writeJson } from '../api/exact-json.ts'
import { formatSize } from '../format/numbers.ts'
import { CopyButton } from './copy-button.tsx'

const childrenAtOnce = 100
const charsAtOnce = 1_000

/** Any JSON value as a tree. Closed branches cost nothing, long lists and texts are shown a part at a time. */
export function JsonView({ value, name }: { value: unknown; name: string }) {
  return (
    <div className="group/json relative overflow-x-auto rounded-lg border border-line bg-sunken py-2.5 pr-3 pl-2 font-mono text-xs leading-5">
      <ul aria-label={name} className="pr-9">
        <Node value={value} depth={0} />
      </ul>
      <CopyButton text={() => writeJson(value)} name={name} className="absolute top-1 right-1 bg-sunken" />
    </div>
  )
}

interface NodeProps {
  value: unknown
  /** A text is a key, a number the place in a list. */
  label?: string | number
  depth: number
}

function Node({ value, label, depth }: NodeProps) {
  const entries = entriesOf(value)
  if (entries)
    return (
      <Branch entries={entries} value={value as object} {...(label === undefined ? {} : { label })} depth={depth} />
    )
  return (
    <li className="pl-5">
      <Label label={label} />
      <Leaf value={value} />
    </li>
  )
}

type Entries = [label: string | number, value: unknown][]

function entriesOf(value: unknown): Entries | null {
  if (Array.isArray(value)) return value.map((item, at) => [at, item])
  if (typeof value === 'object' && value !== null && !(value instanceof ExactNumber)) return Object.entries(value)
  return null
}

function Branch({
  entries,
  value,
  label,
  depth,
}: {
  entries: Entries
  value: object
  label?: string | number
  depth: number
}) {
  const [open, setOpen] = useState(depth === 0 || (depth < 3 && entries.length <= 20))
  const [shown, setShown] = useState(childrenAtOnce)
  const list = Array.isArray(value)
  const [start, end] = list ? '[]' : '{}'
  const count = list ? `${entries.length} items` : `${entries.length} keys`
  if (entries.length === 0) {
    return (
      <li className="pl-5">
        <Label label={label} />
        <span className="text-ink-3">
          {start}
          {end}
        </span>
      </li>
    )
  }
  return (
    <li>
      <button
        type="button"
        aria-expanded={open}
        className="rounded text-left hover:bg-hover"
        onClick={() => setOpen(!open)}
      >
        <ChevronRight
          aria-hidden
          size={13}
          className={`mr-1 ml-0.5 inline transition-transform ${open ? 'rotate-90' : ''}`}
        />
        <Label label={label} />
        <span className="text-ink-3">{open ? start : `${start} ${count} ${end}`}</span>
      </button>
      {open && (
        <>
          <ul className="ml-2 border-l border-line pl-1.5">
            {entries.slice(0, shown).map(([key, child]) => (
              <Node key={key} label={key} value={child} depth={depth + 1} />
            ))}
            {shown < entries.length && (
              <li className="pl-5">
                <More onClick={() => setShown(shown + childrenAtOnce)}>{`${entries.length - shown} more`}</More>
              </li>
            )}
          </ul>
          <span aria-hidden className="pl-5 text-ink-3">
            {end}
          </span>
        </>
      )}
    </li>
  )
}

function Label({ label }: { label: string | number | undefined }) {
  if (label === undefined) return null
  return (
    <>
      <span className={`foreign ${typeof label === 'number' ? 'text-ink-3' : 'font-medium text-ink'}`}>{label}</span>
      <span className="text-ink-3">: </span>
    </>
  )
}

function Leaf({ value }: { value: unknown }) {
  const [all, setAll] = useState(false)
  if (typeof value === 'string') {
    const short = all || value.length <= charsAtOnce
    return (
      <span className="break-words whitespace-pre-wrap text-good">
        “<span className="foreign">{short ? value : value.slice(0, charsAtOnce)}</span>
        {short ? '”' : '…'}
        {!short && <More onClick={() => setAll(true)}>{`show all ${formatSize(value.length, 'characters')}`}</More>}
      </span>
    )
  }
  if (value instanceof ExactNumber) return <span className="text-accent">{value.digits}</span>
  if (typeof value === 'number') return <span className="text-accent">{String(value)}</span>
  return <span className="text-busy">{String(value)}</span>
}

function More({ onClick, children }: { onClick: () => void; children: string }) {
  return (
    <button
      type="button"
      className="ml-1 rounded font-sans text-xs font-medium text-accent hover:underline"
      onClick={onClick}
    >
      {children}
    </button>
  )
}
