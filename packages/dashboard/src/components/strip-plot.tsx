import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react'
import { useParts } from '../app/parts.ts'
import type { Format } from '../format/comparison-words.ts'
import { type Domain, domainOf, marksOf } from '../format/scale.ts'
import { useCell } from '../stream/cell.ts'
import { draw, type Placed, placesOf, type StripCase, type StripFrame } from './strip-drawing.ts'
import { useSize } from './size.ts'

export interface StripPlotProps {
  /** What it shows, for screen readers. */
  label: string
  columns: readonly string[]
  /** In the order in which the arrow keys go through them. */
  cases: readonly StripCase[]
  direction: 'higher' | 'lower' | null
  format: Format
  onOpen: (id: string) => void
}

const height = 320
const reach = 14

/**
 * Each case as a line from run to run, on a canvas: thousands are drawn at once. The pointer shows the case that is nearest,
 * the arrow keys step through all of them, and Enter opens one. Its numbers stand in the table of cases too.
 */
export function StripPlot({ label, columns, cases, direction, format, onOpen }: StripPlotProps) {
  const box = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const { width } = useSize(box)
  const [chosen, setChosen] = useState<number | null>(null)
  const domain = useMemo(
    () => domainOf(cases.flatMap(({ values }) => values.filter((value) => value !== null))),
    [cases],
  )
  const frame: StripFrame = useMemo(
    () => ({ width, height, domain, columns: columns.length }),
    [width, domain, columns.length],
  )
  const placed = useMemo(() => cases.map((one) => placesOf(one, frame)), [cases, frame])
  const current = chosen !== null && chosen < cases.length ? chosen : null
  useDrawing({ canvas, frame, placed, direction, current, format })

  const move = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowRight: 1,
      ArrowUp: -1,
      ArrowLeft: -1,
      PageDown: 10,
      PageUp: -10,
    }
    const step = steps[event.key]
    const last = cases.length - 1
    const one = current === null ? null : cases[current]
    if (event.key === 'Enter' && one) onOpen(one.id)
    else if (event.key === 'Home') setChosen(0)
    else if (event.key === 'End') setChosen(last)
    else if (step !== undefined) setChosen(current === null ? 0 : Math.max(0, Math.min(last, current + step)))
    else return
    event.preventDefault()
  }
  const point = (event: PointerEvent): void => {
    const area = canvas.current?.getBoundingClientRect()
    if (area) setChosen(nearest(placed, { x: event.clientX - area.left, y: event.clientY - area.top }))
  }
  const shown = current === null ? undefined : cases[current]
  return (
    <div ref={box} className="relative min-w-0">
      <div
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuemin={1}
        aria-valuemax={Math.max(1, cases.length)}
        aria-valuenow={(current ?? 0) + 1}
        aria-valuetext={shown ? wordsOf(shown, columns, format) : 'No case is chosen: the arrow keys go through them.'}
        className={`block rounded-lg ${shown ? 'cursor-pointer' : ''}`}
        onKeyDown={move}
        onPointerMove={point}
        onPointerLeave={() => setChosen(null)}
        onClick={() => shown && onOpen(shown.id)}
      >
        <canvas ref={canvas} aria-hidden className="block w-full" style={{ height }} />
      </div>
      {shown && current !== null && (
        <Tip place={placed[current]} width={width}>
          {wordsOf(shown, columns, format)}
        </Tip>
      )}
    </div>
  )
}

function wordsOf({ id, values }: StripCase, columns: readonly string[], format: Format): string {
  const told = values.map((value, at) => `${columns[at] ?? ''} ${value === null ? 'unknown' : format(value)}`)
  return `${id}: ${told.join(', ')}`
}

function Tip({ place, width, children }: { place: Placed | undefined; width: number; children: string }) {
  const at = place?.points.findLast((point) => point !== null)
  if (!at) return null
  const toLeft = at.x > width / 2
  return (
    <p
      aria-hidden
      className="foreign pointer-events-none absolute z-10 max-w-64 rounded-lg border border-line bg-raised px-2.5 py-1.5 text-xs break-words shadow-float"
      style={{ top: Math.max(0, at.y - 16), ...(toLeft ? { right: width - at.x + 14 } : { left: at.x + 14 }) }}
    >
      {children}
    </p>
  )
}

function nearest(placed: readonly Placed[], { x, y }: { x: number; y: number }): number | null {
  let [best, least] = [-1, reach * reach]
  for (const [index, { points }] of placed.entries())
    for (const point of points) {
      if (point === null) continue
      const far = (point.x - x) ** 2 + (point.y - y) ** 2
      if (far < least) [best, least] = [index, far]
    }
  return best === -1 ? null : best
}

interface Drawing {
  canvas: { current: HTMLCanvasElement | null }
  frame: StripFrame
  placed: readonly Placed[]
  direction: StripPlotProps['direction']
  current: number | null
  format: Format
}

/** Draws when anything changes, the theme too: the colours of a canvas do not follow it by themselves. */
function useDrawing({ canvas, frame, placed, direction, current, format }: Drawing): void {
  const { theme } = useParts()
  useCell(theme.cell)
  const [, setScheme] = useState(0)
  useEffect(() => {
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const again = (): void => setScheme((times) => times + 1)
    scheme.addEventListener('change', again)
    return () => scheme.removeEventListener('change', again)
  }, [])
  useEffect(() => {
    const element = canvas.current
    if (!element || frame.width === 0) return
    draw(element, { frame, placed, direction, current, marks: marksFor(frame.domain, format) })
  })
}

function marksFor(domain: Domain, format: Format): { at: number; text: string }[] {
  return marksOf(domain).map((at) => ({ at, text: format(at) }))
}
