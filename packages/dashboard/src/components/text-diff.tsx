import { type ChangeObject, diffLines, diffWordsWithSpace } from 'diff'
import { useMemo } from 'react'
import { writeJson } from '../api/exact-json.ts'

/** Longer texts are compared by their lines: by words it would take too long. */
const mostChars = 20_000
/** Longer texts are not compared. */
const mostCharsOfLines = 400_000
const patienceMs = 250

/** A value as the text that is compared: texts as they are, all else as JSON. */
export function diffTextOf(value: unknown): string {
  return typeof value === 'string' ? value : writeJson(value)
}

/** What one text has and the other has not; null where they are too long, or too different to find out in a moment. */
function textChanges(before: string, after: string): ChangeObject<string>[] | null {
  const longest = Math.max(before.length, after.length)
  if (longest > mostCharsOfLines) return null
  const patience = { timeout: patienceMs }
  const changes = longest > mostChars ? diffLines(before, after, patience) : diffWordsWithSpace(before, after, patience)
  return changes ?? null
}

/** Two texts as one: what only the first has is struck through, what only the second has is underlined. */
export function TextDiff({ before, after, label }: { before: string; after: string; label: string }) {
  const changes = useMemo(() => textChanges(before, after), [before, after])
  if (changes === null)
    return <p className="text-sm text-ink-3">They are too long, or too different, to be compared here.</p>
  return (
    <div
      role="group"
      aria-label={label}
      dir="auto"
      className="foreign-block max-h-96 overflow-auto rounded-lg border border-line bg-sunken p-3 text-sm"
    >
      {changes.map(({ value, added, removed }, at) =>
        removed ? (
          // Parts have no identity but their place.
          // oxlint-disable-next-line react/no-array-index-key
          <del key={at} className="rounded-xs bg-bad-soft text-bad">
            {value}
          </del>
        ) : added ? (
          // oxlint-disable-next-line react/no-array-index-key
          <ins key={at} className="rounded-xs bg-good-soft text-good">
            {value}
          </ins>
        ) : (
          // oxlint-disable-next-line react/no-array-index-key
          <span key={at}>{value}</span>
        ),
      )}
    </div>
  )
}
