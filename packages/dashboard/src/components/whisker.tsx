import type { Interval } from '@llm-eval/protocol'
import { type Domain, labelsOf, marksOf, placeOn } from '../format/scale.ts'

const colors = { plain: 'text-plot-1', good: 'text-plot-good', bad: 'text-plot-3', faint: 'text-ink-3' } as const
/** What the colour of a whisker says. */
export type WhiskerMood = keyof typeof colors

const percent = (domain: Domain, value: number): string => `${placeOn(domain, value)}%`

/** A number, and its interval where there is enough for one. */
export interface Estimate {
  estimate: number
  interval: Pick<Interval, 'low' | 'high'> | null
}

export interface WhiskerProps {
  /** Null draws the axis alone: unknown is no dot at 0. */
  of: Estimate | null
  domain: Domain
  /** A line across, such as a threshold, or the 0 of differences. */
  mark?: number | undefined
  mood?: WhiskerMood
  className?: string
}

/**
 * An estimate as a dot with the whiskers of its interval, on an axis that it shares with the others above and below it. It is a
 * picture only: write the numbers beside it, where screen readers find them.
 */
export function Whisker({ of, domain, mark, mood = 'plain', className = '' }: WhiskerProps) {
  return (
    <svg aria-hidden width="100%" height="24" className={`block overflow-visible ${colors[mood]} ${className}`}>
      {marksOf(domain).map((at) => (
        <Line key={at} at={percent(domain, at)} className="stroke-plot-grid" />
      ))}
      {mark !== undefined && <Line at={percent(domain, mark)} className="stroke-line-strong" dashed="3 3" />}
      {of && (
        <g stroke="currentColor" strokeWidth={2} strokeLinecap="round">
          {of.interval && <Range low={percent(domain, of.interval.low)} high={percent(domain, of.interval.high)} />}
          <circle cx={percent(domain, of.estimate)} cy={12} r={4} fill="currentColor" className="stroke-surface" />
        </g>
      )}
    </svg>
  )
}

function Range({ low, high }: { low: string; high: string }) {
  return (
    <>
      <line x1={low} x2={high} y1={12} y2={12} />
      <line x1={low} x2={low} y1={5} y2={19} />
      <line x1={high} x2={high} y1={5} y2={19} />
    </>
  )
}

function Line({ at, className, dashed }: { at: string; className: string; dashed?: string }) {
  return <line x1={at} x2={at} y1={0} y2={24} className={className} strokeDasharray={dashed} />
}

/** The marks of an axis, to stand over or under whiskers of the same width. */
export function WhiskerAxis({ domain, format }: { domain: Domain; format: (value: number) => string }) {
  return (
    <div aria-hidden className="relative h-4 text-2xs font-normal text-ink-3">
      {labelsOf(domain, format).map(({ at, label }) => {
        const place = placeOn(domain, at)
        // The labels at both ends stay within the width.
        const shift = place < 4 ? '' : place > 96 ? '-translate-x-full' : '-translate-x-1/2'
        return (
          <span key={at} className={`absolute top-0 whitespace-nowrap ${shift}`} style={{ left: `${place}%` }}>
            {label}
          </span>
        )
      })}
    </div>
  )
}
