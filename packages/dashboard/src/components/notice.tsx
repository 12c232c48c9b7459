import { CircleAlert, LoaderCircle } from 'lucide-react'
import type { ReactNode } from 'react'
import { ApiError } from '../api/client.ts'
import { Button } from './button.tsx'

/** A calm page-filling message: nothing here, nothing found. */
export function Notice({ title, children, picture }: { title: string; children?: ReactNode; picture?: ReactNode }) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center px-6 py-14 text-center">
      {picture && <div className="mb-3 text-ink-3">{picture}</div>}
      <h2 className="text-lg font-semibold">{title}</h2>
      {children && <div className="mt-1.5 flex flex-col items-center gap-4 text-ink-2">{children}</div>}
    </div>
  )
}

/** Something is being read. It shows only when that takes a moment. */
export function Loading({ what }: { what: string }) {
  return (
    <div
      role="status"
      className="flex animate-[appear_200ms_ease-out_300ms_both] items-center justify-center gap-2 py-14 text-ink-2"
    >
      <LoaderCircle aria-hidden size={16} className="animate-spin" />
      Loading {what}…
    </div>
  )
}

/** What went wrong, and what to do about it. */
export function Trouble({ error, onRetry, what }: { error: Error; onRetry?: () => void; what: string }) {
  const known = error instanceof ApiError ? error : null
  return (
    <div role="alert" className="mx-auto flex max-w-md flex-col items-center px-6 py-14 text-center">
      <CircleAlert aria-hidden size={24} className="mb-3 text-bad" />
      <h2 className="text-lg font-semibold">{what}</h2>
      <p className="mt-1.5 text-ink-2">
        {error.message} {known?.next}
      </p>
      {known && known.faults.length > 0 && (
        <ul className="mt-2 text-sm text-ink-2">
          {known.faults.map((fault) => (
            <li key={fault}>{fault}</li>
          ))}
        </ul>
      )}
      {known?.requestId && <p className="mt-2 font-mono text-xs text-ink-3">request {known.requestId}</p>}
      {onRetry && (
        <Button size="medium" className="mt-5" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  )
}

/** Error text for a toast or a line. */
export function sayError(error: unknown): string {
  if (error instanceof ApiError)
    return [error.message, ...error.faults, error.next].filter((part) => part !== '').join(' ')
  return error instanceof Error ? error.message : String(error)
}
