import type { ReactNode } from 'react'

/** A titled part of the page. */
export function Part({
  title,
  says,
  beside,
  children,
}: {
  title: string
  says?: ReactNode
  beside?: ReactNode
  children: ReactNode
}) {
  return (
    <section aria-label={title}>
      <div className="mb-3 flex flex-wrap items-end gap-3">
        <div className="mr-auto">
          <h2 className="text-lg font-semibold">{title}</h2>
          {says && <p className="max-w-xl text-ink-2">{says}</p>}
        </div>
        {beside}
      </div>
      {children}
    </section>
  )
}
