import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { useMay, useParts } from '../app/parts.ts'
import { buttonLook } from '../components/button.tsx'
import { Samples } from '../components/teach.tsx'
import { runCommand, runRequest, runScript } from '../format/first-run.ts'

/** How the first run is made: here, in code, or in a terminal. */
export function TeachRuns() {
  const { queries } = useParts()
  const { data: session } = useQuery(queries.session())
  const may = useMay('write')
  const place = { origin: location.origin, keyed: session?.auth_required ?? false }
  return (
    <div className="mx-auto max-w-3xl px-5 py-12">
      <h2 className="text-xl font-semibold">No runs yet</h2>
      <p className="mt-1 mb-5 max-w-xl text-ink-2">
        A run asks a task for every case of a dataset and scores the answers. It is followed here while it goes on, and
        two of them are compared case by case.
      </p>
      {may && (
        <Link to="/new-run" className={`${buttonLook('primary', 'medium')} mb-6`}>
          <Plus aria-hidden size={15} />
          New run
        </Link>
      )}
      <Samples
        label="How to make a run"
        samples={[
          { tab: 'JavaScript', name: 'the JavaScript code', text: runScript(place) },
          { tab: 'Command line', name: 'the commands', text: runCommand(place) },
          { tab: 'curl', name: 'the curl command', text: runRequest(place) },
        ]}
      />
    </div>
  )
}
