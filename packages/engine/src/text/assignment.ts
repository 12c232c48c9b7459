/**
 * Pairs rows with columns so that the sum of their gains is the largest possible (Kuhn's Hungarian method with potentials, time
 * rows² · columns). Each row and column is used once at most; the shorter side is used up.
 *
 * @returns for each row its column, or -1
 */
export function assign(gains: readonly (readonly number[])[]): number[] {
  const rows = gains.length
  const columns = gains[0]?.length ?? 0
  if (rows > columns) {
    const turned = Array.from({ length: columns }, (_, column) => gains.map((row) => row[column] ?? 0))
    const result = Array.from({ length: rows }, () => -1)
    for (const [column, row] of assign(turned).entries()) if (row >= 0) result[row] = column
    return result
  }
  const state: State = {
    gains,
    rowPotential: new Float64Array(rows + 1),
    columnPotential: new Float64Array(columns + 1),
    rowOf: new Int32Array(columns + 1),
  }
  for (let row = 1; row <= rows; row++) place(state, row)
  const result = Array.from({ length: rows }, () => -1)
  for (let column = 1; column <= columns; column++) {
    const row = state.rowOf[column] ?? 0
    if (row > 0) result[row - 1] = column - 1
  }
  return result
}

/** Rows and columns count from 1; 0 is none. */
interface State {
  gains: readonly (readonly number[])[]
  rowPotential: Float64Array
  columnPotential: Float64Array
  rowOf: Int32Array
}

/** Finds the cheapest way to give one more row a column, moving others where that pays. */
function place({ gains, rowPotential, columnPotential, rowOf }: State, row: number): void {
  const columns = columnPotential.length - 1
  const slack = new Float64Array(columns + 1).fill(Number.POSITIVE_INFINITY)
  const from = new Int32Array(columns + 1)
  const seen = new Uint8Array(columns + 1)
  rowOf[0] = row
  let at = 0
  do {
    seen[at] = 1
    const current = rowOf[at] ?? 0
    let least = Number.POSITIVE_INFINITY
    let next = 0
    for (let column = 1; column <= columns; column++) {
      if (seen[column] === 1) continue
      const cost =
        -(gains[current - 1]?.[column - 1] ?? 0) - (rowPotential[current] ?? 0) - (columnPotential[column] ?? 0)
      if (cost < (slack[column] ?? 0)) {
        slack[column] = cost
        from[column] = at
      }
      if ((slack[column] ?? 0) < least) {
        least = slack[column] ?? 0
        next = column
      }
    }
    for (let column = 0; column <= columns; column++) {
      if (seen[column] === 1) {
        rowPotential[rowOf[column] ?? 0]! += least
        columnPotential[column]! -= least
      } else slack[column]! -= least
    }
    at = next
  } while ((rowOf[at] ?? 0) !== 0)
  while (at !== 0) {
    const before = from[at] ?? 0
    rowOf[at] = rowOf[before] ?? 0
    at = before
  }
}
