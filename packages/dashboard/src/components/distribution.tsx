import { formatCount } from '../format/numbers.ts'
import { type Domain, placeOn } from '../format/scale.ts'

/** How many values lie from `from` to `to`. */
export interface DistributionCell {
  from: number
  to: number
  count: number
}

export interface DistributionProps {
  cells: readonly DistributionCell[]
  /** Of what, for the table that screen readers get. */
  name: string
  format: (value: number) => string
  /** A value that a line marks, such as the mean. */
  mark?: number | undefined
  /** Of the bars, in pixels. */
  height?: number
}

const shownUnder = 3

/** How often which values are there, as bars; for screen readers as a table. */
export function Distribution({ cells, name, format, mark, height = 64 }: DistributionProps) {
  const first = cells[0]
  const last = cells.at(-1)
  if (!first || !last) return null
  const most = Math.max(...cells.map(({ count }) => count))
  // All values may be the same: then there is one cell without a width.
  const domain: Domain = last.to > first.from ? [first.from, last.to] : [first.from - 0.5, first.from + 0.5]
  return (
    <figure className="min-w-0">
      <svg aria-hidden width="100%" height={height} className="block">
        {cells.map((cell) => (
          <Bar key={cell.from} cell={cell} domain={domain} share={most === 0 ? 0 : cell.count / most} height={height}>
            {`${format(cell.from)} to ${format(cell.to)}: ${formatCount(cell.count)}`}
          </Bar>
        ))}
        <line x1={0} x2="100%" y1={height - 0.5} y2={height - 0.5} className="stroke-line" />
        {mark !== undefined && (
          <line
            x1={`${placeOn(domain, mark)}%`}
            x2={`${placeOn(domain, mark)}%`}
            y1={0}
            y2={height}
            className="stroke-ink"
            strokeWidth={1.5}
            strokeDasharray="3 2"
          />
        )}
      </svg>
      <div aria-hidden className="mt-0.5 flex justify-between text-2xs text-ink-3">
        {first.from === last.to ? (
          <span className="mx-auto">{format(first.from)}</span>
        ) : (
          <>
            <span>{format(first.from)}</span>
            <span>{format(last.to)}</span>
          </>
        )}
      </div>
      <CellTable cells={cells} name={name} format={format} />
    </figure>
  )
}

function Bar({
  cell,
  domain,
  share,
  height,
  children,
}: {
  cell: DistributionCell
  domain: Domain
  share: number
  height: number
  children: string
}) {
  const left = cell.to > cell.from ? placeOn(domain, cell.from) : 25
  const width = cell.to > cell.from ? placeOn(domain, cell.to) - left : 50
  // A single value among many is still to be seen.
  const tall = cell.count === 0 ? 0 : Math.max(shownUnder, share * (height - 4))
  return (
    <g>
      <title>{children}</title>
      {/* The whole column answers to the pointer, also over a low bar. */}
      <rect x={`${left}%`} width={`${width}%`} y={0} height={height} fill="transparent" />
      <rect
        x={`${left + width * 0.06}%`}
        width={`${width * 0.88}%`}
        y={height - 1 - tall}
        height={tall}
        rx={1.5}
        className="fill-plot-1"
        opacity={0.8}
      />
    </g>
  )
}

function CellTable({ cells, name, format }: Pick<DistributionProps, 'cells' | 'name' | 'format'>) {
  return (
    // A table is as wide as its cells, also where it is not to be seen.
    <div className="sr-only">
      <table>
        <caption>Distribution of {name}</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col">Items</th>
          </tr>
        </thead>
        <tbody>
          {cells.map(({ from, to, count }) => (
            <tr key={from}>
              <td>{format(from)}</td>
              <td>{format(to)}</td>
              <td>{count}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
