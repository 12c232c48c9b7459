/** One figure of a bench. */
export interface Row {
  /** What was measured. */
  name: string
  value: number
  unit: string
  /** The limit or peer that was measured in the same run, in the same unit. */
  peer?: { name: string; value: number }
  /** What `value`, and value over peer, should be. */
  target?: { atLeast?: number; atMost?: number; ratioAtLeast?: number; ratioAtMost?: number }
  /** What else one has to know to read the figure. */
  note?: string
}

/** Whether the figure is as good as it should be; undefined when nothing was asked of it. */
export function isMet(row: Row): boolean | undefined {
  const { target, value } = row
  if (!target) return undefined
  const ratio = ratioOf(row) ?? Number.NaN
  return (
    (target.atLeast === undefined || value >= target.atLeast) &&
    (target.atMost === undefined || value <= target.atMost) &&
    (target.ratioAtLeast === undefined || ratio >= target.ratioAtLeast) &&
    (target.ratioAtMost === undefined || ratio <= target.ratioAtMost)
  )
}

function ratioOf({ value, peer }: Row): number | undefined {
  return peer ? value / peer.value : undefined
}

/** The rows as a Markdown table. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => {
    const ratio = ratioOf(row)
    return [
      row.note ? `${row.name} (${row.note})` : row.name,
      `${shown(row.value)} ${row.unit}`,
      row.peer ? `${row.peer.name}: ${shown(row.peer.value)} ${row.unit}` : '',
      ratio === undefined ? '' : ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2),
      targetText(row),
      { true: 'met', false: '**MISSED**', undefined: '' }[String(isMet(row))] ?? '',
    ]
  })
  const head = ['figure', 'ours', 'limit or peer in the same run', 'ratio', 'target', '']
  const lines = [head, head.map(() => '---'), ...cells]
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n')
}

function targetText({ target = {}, unit }: Row): string {
  const { atLeast, atMost, ratioAtLeast, ratioAtMost } = target
  const parts = [
    atLeast === undefined ? [] : `≥ ${shown(atLeast)} ${unit}`,
    atMost === undefined ? [] : `≤ ${shown(atMost)} ${unit}`,
    ratioAtLeast === undefined ? [] : `ratio ≥ ${shown(ratioAtLeast)}`,
    ratioAtMost === undefined ? [] : `ratio ≤ ${shown(ratioAtMost)}`,
  ]
  return parts.flat().join(', ')
}

function shown(value: number): string {
  if (Number.isNaN(value)) return '–'
  if (value >= 1_000) return Math.round(value).toLocaleString('en-US')
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
