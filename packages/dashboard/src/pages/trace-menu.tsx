import type { TraceDetail } from '@llm-eval/protocol'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Braces, Database, Link as LinkIcon, Terminal, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { writeJson } from '../api/exact-json.ts'
import { addTrace } from '../api/datasets.ts'
import { deleteTrace } from '../api/queries.ts'
import { useCopy } from '../app/copying.ts'
import { useMay, useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Confirm } from '../components/dialog.tsx'
import { Menu, MenuItem, MenuLine } from '../components/menu.tsx'
import { sayError } from '../components/notice.tsx'
import { curlFor } from '../format/samples.ts'
import { asSent } from '../format/trace-input.ts'
import { AddToDataset } from './add-to-dataset.tsx'

/** What can be done with a trace beside judging it. */
export function TraceMenu({ trace, onDeleted }: { trace: TraceDetail; onDeleted: () => void }) {
  const { api, queries } = useParts()
  const toasts = useToasts()
  const copy = useCopy()
  const mayDelete = useMay('write')
  const [asking, setAsking] = useState(false)
  const [adding, setAdding] = useState(false)
  const { data: session } = useQuery(queries.session())
  const removal = useMutation({
    mutationFn: () => deleteTrace(api, trace.trace_id),
    onSuccess() {
      setAsking(false)
      toasts.show({ text: 'The trace was deleted.', mood: 'good' })
      onDeleted()
    },
    onError: (error) => toasts.show({ text: `The trace was not deleted. ${sayError(error)}`, mood: 'bad' }),
  })
  const place = { origin: location.origin, keyed: session?.auth_required ?? false }

  return (
    <>
      <Menu label="More about this trace">
        <MenuItem picture={<LinkIcon size={15} />} onSelect={() => copy('the link', location.href)}>
          Copy link
        </MenuItem>
        <MenuItem picture={<Braces size={15} />} onSelect={() => copy('the JSON', writeJson(trace))}>
          Copy as JSON
        </MenuItem>
        <MenuItem
          picture={<Terminal size={15} />}
          onSelect={() => copy('the curl command', curlFor(writeJson(asSent(trace)), place))}
        >
          Copy as curl
        </MenuItem>
        {mayDelete && (
          <>
            <MenuItem picture={<Database size={15} />} onSelect={() => setAdding(true)}>
              Add to dataset…
            </MenuItem>
            <MenuLine />
            <MenuItem picture={<Trash2 size={15} />} tone="text-bad" onSelect={() => setAsking(true)}>
              Delete…
            </MenuItem>
          </>
        )}
      </Menu>
      <AddToDataset
        open={adding}
        onOpen={setAdding}
        says="Its query and response become a row of the draft. Deleting the trace takes the row out again."
        add={async (slug) => {
          await addTrace(api, slug, trace.trace_id)
          return `Added to ${slug}.`
        }}
      />
      <Confirm
        open={asking}
        onOpen={setAsking}
        title="Delete this trace?"
        says="Its texts, its reviews and its place in the counters go for good, and it cannot be sent again under this id."
        action="Delete"
        busy={removal.isPending}
        onConfirm={() => removal.mutate()}
      />
    </>
  )
}
