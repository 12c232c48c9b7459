/** ½ ln 2π. */
const halfLogTwoPi = 0.9189385332046728

/** Where a continued fraction or a series has settled. */
const settled = 2 ** -53

/** More steps than any argument needs whose distribution is computed here; a guard, not a setting. */
const mostSteps = 1_000_000

/**
 * ln Γ(x + 1) less Stirling's formula, for x > 0. From 16 up it is the asymptotic series; below that it is carried down
 * by δ(x) = δ(x + 1) + (x + ½) ln(1 + 1/x) - 1, which loses nothing.
 */
function stirlingError(x: number): number {
  let carried = 0
  let at = x
  while (at < 16) {
    carried += (at + 0.5) * Math.log1p(1 / at) - 1
    at += 1
  }
  const square = at * at
  const series =
    (1 / 12 -
      (1 / 360 - (1 / 1260 - (1 / 1680 - (1 / 1188 - 691 / 360_360 / square) / square) / square) / square) / square) /
    at
  return carried + series
}

/** x ln(x / m) + m - x without cancellation where x is near m; the difference x - m is told, where it is known better. */
function deviance(x: number, m: number, difference: number): number {
  if (Math.abs(difference) >= 0.1 * (x + m)) return x * Math.log(x / m) - difference
  const ratio = difference / (x + m)
  let sum = difference * ratio
  let term = 2 * x * ratio
  for (let step = 1; step < 1_000; step++) {
    term *= ratio * ratio
    const next = sum + term / (2 * step + 1)
    if (next === sum) break
    sum = next
  }
  return sum
}

/**
 * C(n, k) p^k q^(n-k) for real 0 <= k <= n and q = 1 - p, to nearly full precision also for large n.
 * C. Loader, "Fast and accurate computation of binomial probabilities" (2000).
 */
export function binomialDensity(k: number, n: number, { p, q }: { p: number; q: number }): number {
  if (p === 0) return k === 0 ? 1 : 0
  if (q === 0) return k === n ? 1 : 0
  if (k === 0) return Math.exp(n * (p < 0.5 ? Math.log1p(-p) : Math.log(q)))
  if (k === n) return Math.exp(n * (q < 0.5 ? Math.log1p(-q) : Math.log(p)))
  const difference = q < p ? n * q - (n - k) : k - n * p
  const exponent =
    stirlingError(n) -
    stirlingError(k) -
    stirlingError(n - k) -
    deviance(k, n * p, difference) -
    deviance(n - k, n * q, -difference)
  return Math.exp(exponent - halfLogTwoPi - 0.5 * (Math.log(k) + Math.log((n - k) / n)))
}

/** x^a e^-x / Γ(a + 1) for a > 0, x > 0. */
function poissonDensity(a: number, x: number): number {
  return Math.exp(-stirlingError(a) - deviance(a, x, a - x) - halfLogTwoPi - 0.5 * Math.log(a))
}

/** Both tails of a distribution at one place; each is exact where it is small. */
export interface Tails {
  lower: number
  upper: number
}

/** The regularized incomplete gamma functions P(a, x) and Q(a, x), for a > 0 and x >= 0. */
export function incompleteGamma(a: number, x: number): Tails {
  if (x <= 0) return { lower: 0, upper: 1 }
  if (x === Number.POSITIVE_INFINITY) return { lower: 1, upper: 0 }
  const density = poissonDensity(a, x)
  if (x < a + 1) {
    let term = 1
    let sum = 1
    for (let step = 1; step < mostSteps && term > sum * settled; step++) {
      term *= x / (a + step)
      sum += term
    }
    const lower = Math.min(density * sum, 1)
    return { lower, upper: 1 - lower }
  }
  const upper = Math.min(density * a * gammaFraction(a, x), 1)
  return { lower: 1 - upper, upper }
}

/** Lentz's evaluation of the continued fraction of Q(a, x). */
function gammaFraction(a: number, x: number): number {
  let b = x + 1 - a
  let c = Number.MAX_VALUE
  let d = 1 / b
  let value = d
  for (let step = 1; step < mostSteps; step++) {
    const an = -step * (step - a)
    b += 2
    d = 1 / nonZero(an * d + b)
    c = nonZero(b + an / c)
    const change = d * c
    value *= change
    if (Math.abs(change - 1) <= 2 * settled) break
  }
  return value
}

function nonZero(value: number): number {
  return Math.abs(value) < 1e-300 ? 1e-300 : value
}

/** A place in [0, 1] with its distance to 1, so that neither is lost near its end. */
export interface Share {
  x: number
  /** 1 - x. */
  y: number
}

/** Density of the beta distribution times x y: x^a y^b / B(a, b). */
export function betaPower(a: number, b: number, { x, y }: Share): number {
  return ((a * b) / (a + b)) * binomialDensity(a, a + b, { p: x, q: y })
}

/** The regularized incomplete beta function I_x(a, b) and what is left to 1, for a, b > 0. */
export function incompleteBeta(a: number, b: number, place: Share): Tails {
  const { x, y } = place
  if (x <= 0) return { lower: 0, upper: 1 }
  if (y <= 0) return { lower: 1, upper: 0 }
  const power = betaPower(a, b, place)
  if (x < (a + 1) / (a + b + 2)) {
    const lower = Math.min(power / betaFraction(a, b, place), 1)
    return { lower, upper: 1 - lower }
  }
  const upper = Math.min(power / betaFraction(b, a, { x: y, y: x }), 1)
  return { lower: 1 - upper, upper }
}

/**
 * x^a y^b / B(a, b) over I_x(a, b): the even part of the classical continued fraction, which also for large a or b takes
 * no difference of numbers close to each other. DiDonato and Morris, ACM TOMS 18 (1992), algorithm 708; Lentz's evaluation.
 */
function betaFraction(a: number, b: number, { x, y }: Share): number {
  const partial = (step: number) =>
    step +
    (step * (b - step) * x) / (a + 2 * step - 1) +
    ((a + step) * (a * y - b * x + 1 + step * (2 - x))) / (a + 2 * step + 1)
  // Without the second term, which is 0 there and divides by 0 where a is 1.
  let value = nonZero((a * (a * y - b * x + 1)) / (a + 1))
  let c = value
  let d = 0
  for (let step = 1; step < mostSteps; step++) {
    const x2 = (x / (a + 2 * step - 1)) ** 2
    const numerator = (a + step - 1) * (a + b + step - 1) * step * (b - step) * x2
    const denominator = partial(step)
    d = 1 / nonZero(denominator + numerator * d)
    c = nonZero(denominator + numerator / c)
    const change = c * d
    value *= change
    if (Math.abs(change - 1) <= 2 * settled) break
  }
  return value
}

/** What the search for a root is told. */
export interface Search {
  /** Increasing. */
  value: (x: number) => number
  slope: (x: number) => number
  /** Where the value is at most 0, and where it is at least 0; both are at least 0. */
  low: number
  high: number
  start: number
}

/** The place where an increasing function is 0: Newton's method, kept between two bounds that close in on it. */
export function rootOf({ value, slope, low, high, start }: Search): number {
  let from = low
  let to = high
  let x = start > low && start < high ? start : between(low, high)
  let lastMove = high - low
  for (let step = 0; step < 2_000; step++) {
    const error = value(x)
    if (error === 0) return x
    if (error < 0) from = x
    else to = x
    const newton = x - error / slope(x)
    // A step that leaves the bounds, or shrinks too slowly, is one that Newton's method cannot be trusted with.
    const trusted = newton > from && newton < to && Math.abs(newton - x) < lastMove / 2
    const next = trusted ? newton : between(from, to)
    lastMove = trusted ? Math.abs(next - x) : to - from
    if (next === x || next <= from || next >= to || Math.abs(next - x) <= 1e-16 * x) return next
    x = next
  }
  return x
}

/** Halfway; by ratio where the bounds are orders of magnitude apart. */
function between(low: number, high: number): number {
  if (low > 0 && high > 4 * low) return Math.sqrt(low) * Math.sqrt(high)
  return low === 0 && high > 0 ? high / 16 : low + (high - low) / 2
}
