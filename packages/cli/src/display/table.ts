import type { Screen } from '../terminal.ts'
import { displayWidth, pad, truncate, wrap } from './width.ts'

/** A column of a table. */
export interface Column {
  title: string
  align?: 'left' | 'right'
  /** Most cells it takes; longer values are cut. The last column of a table takes what is left. */
  max?: number
  /** Of the last column, on a terminal: what is longer than its line goes on below instead of being cut. */
  wraps?: boolean
}

const gap = '  '

/** Rows as aligned lines, the titles first. On a terminal no line is wider than the screen; elsewhere the last column is whole. */
export function table(screen: Screen, columns: Column[], rows: string[][]): string[] {
  const widths = columns.map(({ title, max = Number.POSITIVE_INFINITY }, index) =>
    Math.min(max, Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[index] ?? '')))),
  )
  const line = (row: string[]) => tableLine(screen, { columns, widths }, row)
  const wraps = screen.isTTY && columns.at(-1)?.wraps === true
  const room = screen.columns - widths.slice(0, -1).reduce((sum, width) => sum + width + gap.length, 0)
  const lines = wraps ? rows.flatMap((row) => wrappedRow(row, Math.max(20, room))) : rows
  return [screen.paint('bold', line(columns.map(({ title }) => title))), ...lines.map(line)]
}

function wrappedRow(row: string[], cells: number): string[][] {
  const before = row.slice(0, -1)
  return wrap(row.at(-1) ?? '', cells).map((text, index) => [...(index === 0 ? before : before.map(() => '')), text])
}

/** One line of a table of known widths. */
export function tableLine(
  screen: Screen,
  { columns, widths }: { columns: Column[]; widths: number[] },
  row: string[],
): string {
  const last = columns.length - 1
  const before = widths.slice(0, last).reduce((sum, width) => sum + width + gap.length, 0)
  const cells = columns.map(({ align }, index) => {
    const text = row[index] ?? ''
    if (index < last) return pad(truncate(text, widths[index] ?? 0), widths[index] ?? 0, align)
    return screen.isTTY ? truncate(text, Math.max(10, screen.columns - before)) : text
  })
  return cells.join(gap).trimEnd()
}

/** Names and values below each other, the values aligned. */
export function facts(screen: Screen, pairs: [name: string, value: string][]): string[] {
  const width = Math.max(...pairs.map(([name]) => displayWidth(name)))
  return pairs.map(([name, value]) => `${screen.paint('bold', pad(name, width))}${gap}${value}`)
}
