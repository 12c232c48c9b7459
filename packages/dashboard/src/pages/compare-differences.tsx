import type { Run } from '@llm-eval/protocol'
import { Part } from '../components/part.tsx'
import { TextDiff } from '../components/text-diff.tsx'
import { letterOf } from '../format/comparison-words.ts'
import { formatCount } from '../format/numbers.ts'
import { type Difference, differencesOf } from '../format/run-differences.ts'

/** What the runs were told otherwise: whatever differs may be why their scores do. */
export function Differences({ runs }: { runs: readonly Run[] }) {
  const { differences, same } = differencesOf(runs)
  return (
    <Part
      title="What was changed"
      says={
        differences.length === 0
          ? 'Nothing: the runs were told the same, as far as is known.'
          : `${formatCount(same)} other settings are the same.`
      }
    >
      {differences.length > 0 && (
        <dl className="card divide-y divide-line/60">
          {differences.map((one) => (
            <div key={one.name} className="grid gap-x-4 gap-y-1 px-4 py-2 sm:grid-cols-[12rem_1fr]">
              <dt className="foreign text-sm text-ink-2">{one.name}</dt>
              <dd className="min-w-0">{one.isLong ? <LongValues {...one} /> : <ShortValues {...one} />}</dd>
            </div>
          ))}
        </dl>
      )}
    </Part>
  )
}

function ShortValues({ values }: Difference) {
  return (
    <ol className="flex flex-wrap gap-x-4 gap-y-1">
      {values.map((value, index) => (
        // A run has its place, whatever its value is.
        // oxlint-disable-next-line react/no-array-index-key
        <li key={index} className="flex min-w-0 items-baseline gap-1.5">
          <span className="text-xs text-ink-3">{letterOf(index)}</span>
          <span className={`foreign min-w-0 ${value === values[0] ? 'text-ink-2' : 'font-medium'}`}>{value}</span>
        </li>
      ))}
    </ol>
  )
}

function LongValues({ name, values: [first = '', ...others] }: Difference) {
  return (
    <div className="flex flex-col gap-2">
      {others.map((value, index) => (
        // oxlint-disable-next-line react/no-array-index-key
        <div key={index} className="flex items-baseline gap-1.5">
          <span className="shrink-0 text-xs text-ink-3">{letterOf(index + 1)}</span>
          <div className="min-w-0 flex-1">
            {value === first ? (
              <span className="text-ink-2">as in A</span>
            ) : (
              <TextDiff before={first} after={value} label={`${name} of ${letterOf(index + 1)} against A`} />
            )}
          </div>
        </div>
      ))}
    </div>
  )
}
