import { type ErrorComponentProps, Link } from '@tanstack/react-router'
import { Button, buttonLook } from '../components/button.tsx'

/** Shown instead of a page that failed to load or to draw. */
export function Crash({ error }: ErrorComponentProps) {
  return (
    <div className="m-auto max-w-md p-8 text-center">
      <h1 className="text-lg font-semibold">This page stopped working</h1>
      <p className="mt-2 text-ink-2">{error instanceof Error ? error.message : String(error)}</p>
      <p className="mt-1 text-ink-2">Nothing is lost: everything is stored on the server.</p>
      <Button size="medium" look="primary" className="mt-5" onClick={() => location.reload()}>
        Reload
      </Button>
    </div>
  )
}

export function NotFound() {
  return (
    <div className="m-auto max-w-md p-8 text-center">
      <h1 className="text-lg font-semibold">There is nothing here</h1>
      <p className="mt-2 mb-5 text-ink-2">The address leads to no page of this dashboard.</p>
      <Link to="/" className={buttonLook('primary', 'medium')}>
        Go to Live
      </Link>
    </div>
  )
}
