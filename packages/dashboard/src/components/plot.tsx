import 'uplot/dist/uPlot.min.css'
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import { useParts } from '../app/parts.ts'
import { useCell } from '../stream/cell.ts'
import { useSize } from './size.ts'

/** One line, or one row of bars. */
export interface PlotSeries {
  label: string
  /** A colour token, e.g. `plot-1`. */
  color: string
  kind: 'line' | 'bars'
  /** Null is a gap: nothing was measured. */
  values: readonly (number | null)[]
}

export interface PlotProps {
  /** Seconds since 1970: start of each step. */
  times: readonly number[]
  stepSeconds: number
  series: readonly PlotSeries[]
  format: (value: number) => string
  /** Fixed top of the scale, e.g. 100 for percent. */
  top?: number
  /** Plots of the same group move their crosshairs together. */
  group: string
  /** The step under the pointer; null when there is none. */
  onPoint: (index: number | null) => void
}

/** A plot over time on a canvas. What it shows is also said in words by the card around it. */
export function Plot(props: PlotProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(null)
  const latest = useRef(props)
  latest.current = props
  const { width, height } = useSize(box)
  const { theme } = useParts()
  const chosen = useCell(theme.cell)
  const { times, series } = props
  const shape = `${series.map(({ label, kind }) => `${label}/${kind}`).join()} ${props.stepSeconds}`

  useEffect(() => {
    const element = box.current
    if (!element || width === 0 || height === 0) return
    const draw = (): void => {
      plot.current?.destroy()
      plot.current = new uPlot(options(latest.current, element), data(latest.current), element)
    }
    draw()
    // The colours of a canvas do not follow the theme by themselves.
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', draw)
    return () => {
      scheme.removeEventListener('change', draw)
      plot.current?.destroy()
      plot.current = null
    }
  }, [width, height, chosen, shape])

  useEffect(() => {
    plot.current?.setData(data({ times, series }))
  }, [times, series])

  return (
    <div
      ref={box}
      aria-hidden
      className="relative h-32 min-w-0 overflow-hidden 3xl:h-auto 3xl:min-h-32 3xl:flex-1 3xl:basis-0"
    />
  )
}

function data({ times, series }: Pick<PlotProps, 'times' | 'series'>): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])] as uPlot.AlignedData
}

function options(props: PlotProps, element: HTMLElement): uPlot.Options {
  const color = (token: string): string => resolve(element, `var(--color-${token})`)
  const font = `11px ${getComputedStyle(element).fontFamily}`
  const axis = { font, stroke: color('ink-3'), ticks: { show: false }, grid: { stroke: color('plot-grid'), width: 1 } }
  const { format, top, group, stepSeconds } = props
  const bars = props.series.some(({ kind }) => kind === 'bars')
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    // The last time may stand at the very end: half of it needs room.
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: group },
      y: false,
      drag: { x: false, y: false },
      points: { show: !bars, size: 7 },
    },
    scales: {
      // Bars stand on the start of their step and need half a step of room at each end.
      x: { range: (_plot, min, max) => (bars ? [min - stepSeconds * 0.6, max + stepSeconds * 0.6] : [min, max]) },
      y: { range: (_plot, _min, max) => [0, (top ?? (max > 0 ? max : 1)) * 1.06] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: 26, values: timeLabels },
      { ...axis, size: 52, gap: 6, space: 34, values: (_plot, splits) => splits.map((split) => format(split)) },
    ],
    series: [
      {},
      ...props.series.map(({ label, kind, color: token }): uPlot.Series => {
        const stroke = color(token)
        return kind === 'bars'
          ? { label, stroke, width: 0, fill: translucent(stroke, 0.78), points: { show: false }, paths: bar() }
          : {
              label,
              stroke,
              width: 1.75,
              spanGaps: false,
              points: { show: true, size: 4, fill: stroke, filter: lonePoints },
            }
      }),
    ],
    hooks: { setCursor: [(plot) => props.onPoint(plot.cursor.idx ?? null)] },
  }
}

/** The steps that a line cannot show: measured between two that were not. */
function lonePoints(plot: uPlot, seriesIndex: number): number[] {
  const values = plot.data[seriesIndex] ?? []
  const known = (at: number): boolean => values[at] !== null && values[at] !== undefined
  return [...values.keys()].filter((at) => known(at) && !known(at - 1) && !known(at + 1))
}

function bar(): uPlot.Series.PathBuilder {
  const build = uPlot.paths.bars?.({ size: [0.75, 28], gap: 1, radius: 0.2 })
  if (!build) throw new Error('uPlot was built without bars')
  return build
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })

function timeLabels(_plot: uPlot, splits: number[]): string[] {
  const wide = (splits.at(-1) ?? 0) - (splits[0] ?? 0) > 2 * 86_400
  return splits.map((split) => (wide ? day : clock).format(split * 1000))
}

/** The computed value of a colour: a canvas knows neither variables nor `light-dark()`. */
function resolve(element: HTMLElement, value: string): string {
  const probe = document.createElement('i')
  probe.style.color = value
  element.append(probe)
  const color = getComputedStyle(probe).color
  probe.remove()
  return color
}

function translucent(color: string, alpha: number): string {
  return color.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`)
}
