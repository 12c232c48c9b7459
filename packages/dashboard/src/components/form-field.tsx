import { type ComponentProps, type ReactNode, useId } from 'react'
import { Select } from './field.tsx'

interface About {
  label: string
  /** What it is for; what is wrong with it takes its place. */
  says?: ReactNode
  fault?: string | undefined
}

const look = 'w-full min-w-0 rounded-lg border border-line bg-surface px-2.5 hover:border-line-strong'
const wrong = 'aria-invalid:border-bad aria-invalid:hover:border-bad'

/** A field with its label over it, and under it what it is for or what is wrong with it. */
function Framed({
  label,
  says,
  fault,
  id,
  about,
  children,
}: About & { id: string; about: string; children: ReactNode }) {
  const told = fault ?? says
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <label htmlFor={id} className="text-sm font-medium text-ink-2">
        {label}
      </label>
      {children}
      {told !== undefined && told !== '' && (
        <span id={about} className={fault === undefined ? 'text-xs text-ink-3' : 'text-sm text-bad'}>
          {told}
        </span>
      )}
    </div>
  )
}

function useAbout({ says, fault }: Pick<About, 'says' | 'fault'>) {
  const [id, about] = [useId(), useId()]
  const isTold = fault !== undefined || (says !== undefined && says !== '')
  return { id, about, aria: { 'aria-invalid': fault !== undefined, 'aria-describedby': isTold ? about : undefined } }
}

/** A line of text of a form. */
export function FormLine({
  label,
  says,
  fault,
  className = '',
  onChange,
  ...rest
}: About & Omit<ComponentProps<'input'>, 'onChange'> & { onChange: (value: string) => void }) {
  const { id, about, aria } = useAbout({ says, fault })
  return (
    <Framed label={label} says={says} fault={fault} id={id} about={about}>
      <input
        {...rest}
        {...aria}
        id={id}
        className={`${look} ${wrong} h-9 ${className}`}
        onChange={(event) => onChange(event.target.value)}
      />
    </Framed>
  )
}

/** Several lines of text of a form, as high as what stands in it. */
export function FormArea({
  label,
  says,
  fault,
  value,
  rows = 2,
  onChange,
  ...rest
}: About &
  Omit<ComponentProps<'textarea'>, 'onChange' | 'value'> & { value: string; onChange: (value: string) => void }) {
  const { id, about, aria } = useAbout({ says, fault })
  return (
    <Framed label={label} says={says} fault={fault} id={id} about={about}>
      <textarea
        {...rest}
        {...aria}
        id={id}
        rows={Math.min(12, Math.max(rows, value.split('\n').length))}
        className={`${look} ${wrong} py-1.5 font-mono text-sm`}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </Framed>
  )
}

/** One of a few choices of a form. */
export function FormSelect({
  says,
  fault,
  onChange,
  ...rest
}: About & Omit<ComponentProps<typeof Select>, 'onChange'> & { onChange: (value: string) => void }) {
  const { about, aria } = useAbout({ says, fault })
  const told = fault ?? says
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <Select {...rest} {...aria} className={`${wrong} h-9`} onChange={(event) => onChange(event.target.value)} />
      {told !== undefined && told !== '' && (
        <span id={about} className={fault === undefined ? 'text-xs text-ink-3' : 'text-sm text-bad'}>
          {told}
        </span>
      )}
    </div>
  )
}
