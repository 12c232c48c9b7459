/** Draws cases as lines from run to run. Where each one lies depends on its id alone, so that it stays there. */
import { type Domain, placeOn } from '../format/scale.ts'

/** A case, with its value in each run; null is unknown, and no dot at 0. */
export interface StripCase {
  id: string
  values: readonly (number | null)[]
}

/** What is drawn into. */
export interface StripFrame {
  width: number
  height: number
  domain: Domain
  columns: number
}

interface Point {
  x: number
  y: number
}

/** Where a case lies, and how much its value changed since the first run. */
export interface Placed {
  points: (Point | null)[]
  changes: (number | null)[]
}

const margin = { top: 12, right: 16, bottom: 12, left: 52 }

/** Where the dots of a case are: in the columns of the runs, moved aside a little by its id. */
export function placesOf({ id, values }: StripCase, { width, height, domain, columns }: StripFrame): Placed {
  const step = (width - margin.left - margin.right) / columns
  const aside = shiftOf(id) * Math.min(60, step * 0.35)
  const tall = height - margin.top - margin.bottom
  const points = values.map((value, column): Point | null =>
    value === null
      ? null
      : {
          x: margin.left + step * (column + 0.5) + aside,
          y: margin.top + tall * (1 - placeOn(domain, value) / 100) + shiftOf(`${id} `) * 12,
        },
  )
  const first = values[0] ?? null
  return { points, changes: values.map((value) => (value === null || first === null ? null : value - first)) }
}

/** -0.5 to 0.5, the same for the same text. */
function shiftOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  return ((hash ^ (hash >>> 13)) >>> 0) / 0xffffffff - 0.5
}

interface Picture {
  frame: StripFrame
  placed: readonly Placed[]
  direction: 'higher' | 'lower' | null
  /** The case that stands out. */
  current: number | null
  marks: readonly { at: number; text: string }[]
}

/** Draws it all. */
export function draw(canvas: HTMLCanvasElement, { frame, placed, direction, current, marks }: Picture): void {
  const pen = canvas.getContext('2d')
  if (!pen) return
  const { width, height } = frame
  const scale = devicePixelRatio
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  pen.scale(scale, scale)
  const style = getComputedStyle(canvas)
  const color = (token: string): string => resolve(canvas, `var(--color-${token})`)
  const colors = { better: color('plot-good'), worse: color('plot-3'), same: color('ink-3'), other: color('plot-1') }
  drawAxis(pen, { frame, marks, font: `11px ${style.fontFamily}`, ink: color('ink-3'), grid: color('plot-grid') })
  const many = placed.length * frame.columns
  const dense = Math.min(0.8, Math.max(0.12, 9 / Math.sqrt(many)))
  // What did not change lies behind; better and worse are drawn as they come, so that neither hides the other.
  for (const layer of [['same'], ['better', 'worse', 'other']] as const)
    for (const one of placed)
      for (const mood of layer) {
        pen.strokeStyle = colors[mood]
        pen.fillStyle = colors[mood]
        pen.globalAlpha = mood === 'same' ? dense * 0.7 : dense
        drawCase(pen, one, { mood, direction, thick: many < 500 ? 1.3 : 0.8, dot: 2.5 })
      }
  drawMeans(pen, frame, { placed, ink: color('ink'), surface: color('surface') })
  const chosen = current === null ? undefined : placed[current]
  if (!chosen) return
  pen.globalAlpha = 1
  for (const mood of ['same', 'other', 'better', 'worse'] as const) {
    pen.strokeStyle = colors[mood]
    pen.fillStyle = colors[mood]
    drawCase(pen, chosen, { mood, direction, thick: 2.5, dot: 5 })
  }
}

interface Axis {
  frame: StripFrame
  marks: Picture['marks']
  font: string
  ink: string
  grid: string
}

function drawAxis(pen: CanvasRenderingContext2D, { frame, marks, font, ink, grid }: Axis): void {
  const { width, height, domain } = frame
  pen.font = font
  pen.textAlign = 'right'
  pen.textBaseline = 'middle'
  pen.lineWidth = 1
  for (const { at, text } of marks) {
    const y = margin.top + (height - margin.top - margin.bottom) * (1 - placeOn(domain, at) / 100)
    pen.strokeStyle = grid
    pen.beginPath()
    pen.moveTo(margin.left, y)
    pen.lineTo(width - margin.right, y)
    pen.stroke()
    pen.fillStyle = ink
    pen.fillText(text, margin.left - 8, y, margin.left - 10)
  }
}

/** The mean of what is drawn of each run, on top of it. */
function drawMeans(
  pen: CanvasRenderingContext2D,
  { width, columns }: StripFrame,
  { placed, ink, surface }: { placed: readonly Placed[]; ink: string; surface: string },
): void {
  const step = (width - margin.left - margin.right) / columns
  pen.globalAlpha = 1
  for (let column = 0; column < columns; column++) {
    const heights = placed.flatMap(({ points }) => points[column]?.y ?? [])
    if (heights.length === 0) continue
    const y = heights.reduce((sum, one) => sum + one, 0) / heights.length
    const [from, to] = [margin.left + step * (column + 0.5) - 26, margin.left + step * (column + 0.5) + 26]
    for (const [color, thick] of [
      [surface, 6],
      [ink, 2.5],
    ] as const) {
      pen.strokeStyle = color
      pen.lineWidth = thick
      pen.beginPath()
      pen.moveTo(from, y)
      pen.lineTo(to, y)
      pen.stroke()
    }
  }
}

type Mood = 'same' | 'other' | 'better' | 'worse'

function drawCase(
  pen: CanvasRenderingContext2D,
  { points, changes }: Placed,
  { mood, direction, thick, dot }: { mood: Mood; direction: Picture['direction']; thick: number; dot: number },
): void {
  for (const [column, point] of points.entries()) {
    if (point === null || moodOf(changes[column] ?? null, direction, column) !== mood) continue
    const before = column === 0 ? null : (points[column - 1] ?? null)
    if (before) {
      pen.lineWidth = thick
      pen.beginPath()
      pen.moveTo(before.x, before.y)
      pen.lineTo(point.x, point.y)
      pen.stroke()
    }
    pen.beginPath()
    pen.arc(point.x, point.y, dot, 0, 2 * Math.PI)
    pen.fill()
  }
}

/** Dots of the first run are neither better nor worse than themselves. */
function moodOf(change: number | null, direction: Picture['direction'], column: number): Mood {
  if (column === 0 || change === null || change === 0) return 'same'
  if (direction === null) return 'other'
  return change > 0 === (direction === 'higher') ? 'better' : 'worse'
}

/** The computed value of a colour: a canvas knows neither variables nor `light-dark()`. */
function resolve(element: HTMLElement, value: string): string {
  const probe = document.createElement('i')
  probe.style.color = value
  element.parentElement?.append(probe)
  const color = getComputedStyle(probe).color
  probe.remove()
  return color
}
