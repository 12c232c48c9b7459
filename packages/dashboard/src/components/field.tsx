import { ChevronDown } from 'lucide-react'
import type { ComponentProps } from 'react'

const look =
  'h-8 min-w-0 rounded-lg border border-line bg-surface px-2.5 text-base text-ink hover:border-line-strong focus-visible:outline-offset-0 disabled:opacity-60'

/** A field for a line of text. Its `label` is read aloud, and shown unless `hidden`. */
export function TextField({
  label,
  hidden = false,
  className = '',
  ...rest
}: ComponentProps<'input'> & { label: string; hidden?: boolean }) {
  return (
    <label className="flex min-w-0 flex-col gap-1">
      <span className={hidden ? 'sr-only' : 'text-sm font-medium text-ink-2'}>{label}</span>
      <input {...rest} className={`${look} ${className}`} />
    </label>
  )
}

export interface Choice {
  value: string
  label: string
}

/** One of a few choices, as the system's own control: it works with every keyboard and on every telephone. */
export function Select({
  label,
  hidden = false,
  choices,
  className = '',
  ...rest
}: ComponentProps<'select'> & { label: string; hidden?: boolean; choices: readonly Choice[] }) {
  return (
    <label className="flex min-w-0 flex-col gap-1">
      <span className={hidden ? 'sr-only' : 'text-sm font-medium text-ink-2'}>{label}</span>
      <span className="relative flex min-w-0">
        <select {...rest} className={`${look} w-full appearance-none pr-7 text-ellipsis ${className}`}>
          {choices.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <ChevronDown aria-hidden size={14} className="pointer-events-none absolute top-2.25 right-2 text-ink-3" />
      </span>
    </label>
  )
}

/** A few choices side by side, one of them chosen. */
export function Segments<T extends string>({
  label,
  choices,
  chosen,
  onChoose,
}: {
  label: string
  choices: readonly T[]
  chosen: T
  onChoose: (choice: T) => void
}) {
  return (
    <fieldset className="flex rounded-lg border border-line bg-sunken p-0.5">
      <legend className="sr-only">{label}</legend>
      {choices.map((choice) => (
        <button
          key={choice}
          type="button"
          aria-pressed={choice === chosen}
          className="h-6.5 rounded-md px-2.5 text-sm font-medium text-ink-2 hover:text-ink aria-pressed:bg-surface aria-pressed:text-ink aria-pressed:shadow-card"
          onClick={() => onChoose(choice)}
        >
          {choice}
        </button>
      ))}
    </fieldset>
  )
}

/** What was typed into a field of a form. */
export function wordOf(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value.trim() : ''
}
