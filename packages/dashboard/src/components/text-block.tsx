import { useState } from 'react'
import { formatSize } from '../format/numbers.ts'
import { splitFences } from '../format/fences.ts'
import { Button } from './button.tsx'

const charsAtOnce = 12_000

/** A text from a trace, as it is: nothing in it is taken for markup but fenced code. Long ones show their beginning first. */
export function TextBlock({ text }: { text: string }) {
  const [all, setAll] = useState(false)
  const long = text.length > charsAtOnce
  const parts = splitFences(all || !long ? text : text.slice(0, charsAtOnce))
  return (
    <div className="min-w-0">
      {parts.map((part, at) =>
        part.kind === 'code' ? (
          <pre
            // Parts have no identity but their place.
            // oxlint-disable-next-line react/no-array-index-key
            key={at}
            tabIndex={0}
            aria-label={part.language === '' ? 'Code' : `Code, ${part.language}`}
            className="my-2 overflow-x-auto rounded-lg border border-line bg-sunken p-3 font-mono text-xs"
          >
            {part.text}
          </pre>
        ) : (
          // oxlint-disable-next-line react/no-array-index-key
          <p key={at} dir="auto" className="foreign-block">
            {part.text}
          </p>
        ),
      )}
      {long && (
        <Button className="mt-2" onClick={() => setAll(!all)}>
          {all ? 'Show less' : `Show all ${formatSize(text.length, 'characters')}`}
        </Button>
      )}
    </div>
  )
}
