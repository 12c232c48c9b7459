// Adjusted p-values: compare them with the level that one test alone would be held against. They come in the order of the
// input; null stays null (a test that could not be made) and does not count among the tests. Else p lies in [0, 1].

/** p-values; null where there is none. */
export type PValues = readonly (number | null)[]

/**
 * p × m, at most 1 (O. J. Dunn 1961): the chance of any false alarm stays below the level, whatever the tests share. Use
 * {@link holm} instead.
 */
export function bonferroni(ps: PValues): (number | null)[] {
  const count = known(ps).length
  return ps.map((p) => (p === null ? null : Math.min(1, p * count)))
}

/**
 * Holm's step-down method (S. Holm 1979): as safe as Bonferroni's and never weaker. For gates: the chance that any of them
 * raises a false alarm stays below the level.
 */
export function holm(ps: PValues): (number | null)[] {
  const order = known(ps).sort((x, y) => x.p - y.p)
  const adjusted: (number | null)[] = ps.map(() => null)
  let least = 0
  for (const [rank, { p, at }] of order.entries()) {
    least = Math.max(least, Math.min(1, p * (order.length - rank)))
    adjusted[at] = least
  }
  return adjusted
}

/**
 * The step-up method of Y. Benjamini and Y. Hochberg (1995): of the differences it reports, at most the level's share are
 * false ones on average (independent or positively dependent tests). For exploration.
 */
export function benjaminiHochberg(ps: PValues): (number | null)[] {
  const order = known(ps).sort((x, y) => y.p - x.p)
  const adjusted: (number | null)[] = ps.map(() => null)
  let most = 1
  for (const [rank, { p, at }] of order.entries()) {
    most = Math.min(most, (p * order.length) / (order.length - rank))
    adjusted[at] = most
  }
  return adjusted
}

function known(ps: PValues): { p: number; at: number }[] {
  return ps.flatMap((p, at) => {
    if (p === null) return []
    if (!(p >= 0 && p <= 1)) throw new RangeError(`ps[${at}] is ${p}; it must lie between 0 and 1, or be null`)
    return [{ p, at }]
  })
}
