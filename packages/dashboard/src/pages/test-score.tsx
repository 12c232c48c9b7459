import { type Assertion, type AttemptResult, scoreParts } from '@llm-eval/protocol'
import { Check, CircleHelp, X } from 'lucide-react'
import { Part } from '../components/part.tsx'
import { formatPoints, partNames, partSaid } from '../format/agent-words.ts'
import { formatCost, formatCount, formatLatency, unknown } from '../format/numbers.ts'

/** What a case demands of an attempt, and what its score is made of. */
export function TestScore({ attempt }: { attempt: AttemptResult }) {
  return (
    <div className="grid gap-5 lg:grid-cols-[3fr_2fr]">
      <Part title="Assertions">
        <Assertions of={attempt.assertions} />
      </Part>
      <Part title="Score">
        <Parts attempt={attempt} />
      </Part>
    </div>
  )
}

const order = { failed: 0, unknown: 1, passed: 2 }
const looks = {
  failed: { word: 'failed', Icon: X, look: 'text-bad' },
  unknown: { word: 'unknown', Icon: CircleHelp, look: 'text-wait' },
  passed: { word: 'passed', Icon: Check, look: 'text-good' },
}

function Assertions({ of }: { of: readonly Assertion[] }) {
  if (of.length === 0) return <p className="text-ink-2">The case demands nothing beyond its score.</p>
  const sorted = of.toSorted((a, b) => order[a.outcome] - order[b.outcome])
  return (
    <ul aria-label="Assertions" className="card divide-y divide-line/70">
      {sorted.slice(0, 200).map(({ kind, turn, outcome, message }, at) => {
        const { word, Icon, look } = looks[outcome]
        return (
          // Two may be of one kind; the place tells them apart.
          // oxlint-disable-next-line react/no-array-index-key
          <li key={at} className="flex gap-3 px-4 py-2.5">
            <Icon aria-hidden size={15} strokeWidth={2.5} className={`mt-0.75 shrink-0 ${look}`} />
            <div className="min-w-0">
              <p className="foreign">
                <span className="sr-only">{word}: </span>
                {message}
              </p>
              <p className="foreign font-mono text-xs text-ink-3">
                {kind}
                {turn !== null && `, turn ${turn}`}
              </p>
            </div>
          </li>
        )
      })}
    </ul>
  )
}

function Parts({ attempt: { score, complete, parts, trace, judged } }: { attempt: AttemptResult }) {
  const { cost, latency_ms: ms, tokens, model, level } = trace
  const facts: [string, string][] = [
    ['Cost', formatCost(cost)],
    ['Time', formatLatency(ms)],
    ['Tokens', tokens === null ? unknown : formatCount(tokens.total)],
    ['Model', model ?? unknown],
    ['Shown by the agent', `level ${level} of 3`],
  ]
  return (
    <div className="card p-4">
      <p className="flex items-baseline gap-2">
        <span className="text-2xl font-semibold">{score === null ? 'unknown' : formatPoints(score)}</span>
        <span className="text-sm text-ink-3">of 100{score !== null && !complete && ', of what is known'}</span>
      </p>
      <dl className="mt-3 flex flex-col gap-2">
        {scoreParts.map((name) => {
          const { value, says } = partSaid(parts[name])
          return (
            <div key={name} className="grid grid-cols-[1fr_auto] gap-x-3">
              <dt className="font-medium">{partNames[name]}</dt>
              <dd className={value === 'unknown' ? 'text-wait' : ''}>{value}</dd>
              <dd className="foreign col-span-2 text-sm text-ink-3">{says}</dd>
            </div>
          )
        })}
      </dl>
      {judged.map(({ evaluator, value, explanation }) => (
        <p key={evaluator} className="foreign mt-2 text-sm text-ink-2">
          <span className="font-medium">{evaluator}</span> {value === null ? 'unknown' : value.toFixed(2)}
          {explanation !== null && `: ${explanation}`}
        </p>
      ))}
      <dl className="mt-3 grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5 border-t border-line/70 pt-3 text-sm">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-ink-3">{name}</dt>
            <dd className="foreign">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  )
}
