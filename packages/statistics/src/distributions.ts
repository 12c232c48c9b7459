import { betaPower, binomialDensity, incompleteBeta, incompleteGamma, rootOf, type Share } from './special-functions.ts'

// Relative errors are below 1e-10 (most below 1e-13) wherever the probability asked for is itself representable.
// Arguments that are NaN or outside of what is said are a RangeError.

/** P(Z <= z) of the standard normal distribution. */
export function normalCdf(z: number): number {
  number('z', z)
  return z < 0 ? normalUpperTail(-z) : 1 - normalUpperTail(z)
}

/** P(Z > z): small tails keep their precision, which `1 - normalCdf(z)` would lose. */
export function normalUpperTail(z: number): number {
  number('z', z)
  const { lower, upper } = incompleteGamma(0.5, (z * z) / 2)
  return z < 0 ? 0.5 + lower / 2 : upper / 2
}

/**
 * The z with P(Z <= z) = p, for p in [0, 1]; infinite at the ends.
 * M. J. Wichura, algorithm AS 241 (PPND16), Applied Statistics 37 (1988).
 */
export function normalQuantile(p: number): number {
  probability('p', p)
  if (p === 0) return Number.NEGATIVE_INFINITY
  if (p === 1) return Number.POSITIVE_INFINITY
  const q = p - 0.5
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q
    return (q * polynomial(middleTop, r)) / polynomial(middleBottom, r)
  }
  const r = Math.sqrt(-Math.log(Math.min(p, 1 - p)))
  const z =
    r <= 5
      ? polynomial(tailTop, r - 1.6) / polynomial(tailBottom, r - 1.6)
      : polynomial(farTop, r - 5) / polynomial(farBottom, r - 5)
  return q < 0 ? -z : z
}

/** P(T <= t) of Student's t distribution with df > 0 degrees of freedom; df may be infinite, and is then the normal. */
export function tCdf(t: number, df: number): number {
  number('t', t)
  const tail = tTwoSided(t, df) / 2
  return t < 0 ? tail : 1 - tail
}

/** P(|T| >= |t|): the two-sided p-value of a t statistic. */
export function tTwoSided(t: number, df: number): number {
  number('t', t)
  positive('df', df)
  if (df === Number.POSITIVE_INFINITY) return 2 * normalUpperTail(Math.abs(t))
  if (Math.abs(t) === Number.POSITIVE_INFINITY) return 0
  return incompleteBeta(df / 2, 0.5, tShare(t, df)).lower
}

/** The t with P(T <= t) = p, for p in [0, 1] and df > 0; infinite at the ends. */
export function tQuantile(p: number, df: number): number {
  probability('p', p)
  positive('df', df)
  if (df === Number.POSITIVE_INFINITY) return normalQuantile(p)
  if (p === 0.5) return 0
  if (p === 0) return Number.NEGATIVE_INFINITY
  if (p === 1) return Number.POSITIVE_INFINITY
  const tail = 2 * Math.min(p, 1 - p)
  let high = 4
  while (high < 1e300 && tTwoSided(high, df) > tail) high *= high
  const t = rootOf({
    value: (at) => tail - tTwoSided(at, df),
    slope: (at) => (2 * betaPower(df / 2, 0.5, tShare(at, df))) / at,
    low: 0,
    high,
    start: -normalQuantile(tail / 2),
  })
  return p < 0.5 ? -t : t
}

/** df / (df + t²). */
function tShare(t: number, df: number): Share {
  // Divided first, so that the square of a large t does not overflow.
  const ratio = (t / df) * t
  return { x: 1 / (1 + ratio), y: ratio === Number.POSITIVE_INFINITY ? 1 : ratio / (1 + ratio) }
}

/** P(X <= x) of the chi-squared distribution with df > 0 degrees of freedom. */
export function chiSquaredCdf(x: number, df: number): number {
  number('x', x)
  positive('df', df)
  return incompleteGamma(df / 2, x / 2).lower
}

/** P(X > x): the p-value of a chi-squared statistic. */
export function chiSquaredUpperTail(x: number, df: number): number {
  number('x', x)
  positive('df', df)
  return incompleteGamma(df / 2, x / 2).upper
}

/** The x with P(X <= x) = p, for p in [0, 1] and df > 0; 0 and infinity at the ends. */
export function chiSquaredQuantile(p: number, df: number): number {
  probability('p', p)
  positive('df', df)
  if (p === 0) return 0
  if (p === 1) return Number.POSITIVE_INFINITY
  let high = df + 10
  while (chiSquaredUpperTail(high, df) > 1 - p) high *= 2
  const spread = 2 / (9 * df)
  return rootOf({
    // The smaller tail is the precise one.
    value: (x) => (p < 0.5 ? chiSquaredCdf(x, df) - p : 1 - p - chiSquaredUpperTail(x, df)),
    slope: (x) => Math.exp((df / 2 - 1) * Math.log(x / 2) - x / 2 - logGamma(df / 2)) / 2,
    low: 0,
    high,
    // Wilson and Hilferty.
    start: df * (1 - spread + normalQuantile(p) * Math.sqrt(spread)) ** 3,
  })
}

/** P(X <= x) of the beta distribution with a, b > 0. */
export function betaCdf(x: number, { a, b }: { a: number; b: number }): number {
  number('x', x)
  positive('a', a)
  positive('b', b)
  return incompleteBeta(a, b, { x, y: 1 - x }).lower
}

/** The x with P(X <= x) = p, for p in [0, 1] and a, b > 0. */
export function betaQuantile(p: number, { a, b }: { a: number; b: number }): number {
  probability('p', p)
  positive('a', a)
  positive('b', b)
  if (p === 0 || p === 1) return p
  const middle = { x: a / (a + b), y: b / (a + b) }
  const { lower } = incompleteBeta(a, b, middle)
  // The end that is nearer is searched from, so that a place close to 1 is found as its small distance to 1.
  return p <= lower ? lowerBeta(p, { a, b, high: middle.x }) : 1 - lowerBeta(1 - p, { a: b, b: a, high: middle.y })
}

function lowerBeta(p: number, { a, b, high }: { a: number; b: number; high: number }): number {
  const place = (x: number) => ({ x, y: 1 - x })
  return rootOf({
    value: (x) => incompleteBeta(a, b, place(x)).lower - p,
    slope: (x) => betaPower(a, b, place(x)) / (x * (1 - x)),
    low: 0,
    high,
    // What the distribution function is near 0: x^a / (a B(a, b)).
    start: Math.exp((Math.log(p) + Math.log(a) + logGamma(a) + logGamma(b) - logGamma(a + b)) / a),
  })
}

/** ln Γ(x), for x > 0. Good enough to begin a search with, where a and b are large; exact enough for a density otherwise. */
function logGamma(x: number): number {
  let carried = 0
  let at = x
  while (at < 16) {
    carried += Math.log(at)
    at += 1
  }
  const series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / (at * at)) / (at * at)) / (at * at)) / at
  return (at - 0.5) * Math.log(at) - at + 0.9189385332046728 + series - carried
}

/** P(X = k) for X successes of n with probability p each. 0 for a k that is no whole number of 0 to n. */
export function binomialPmf(k: number, { n, p }: { n: number; p: number }): number {
  number('k', k)
  wholeNumber('n', n)
  probability('p', p)
  if (k < 0 || k > n || !Number.isInteger(k)) return 0
  return binomialDensity(k, n, { p, q: 1 - p })
}

/** P(X <= k) for X successes of n with probability p each. */
export function binomialCdf(k: number, { n, p }: { n: number; p: number }): number {
  number('k', k)
  wholeNumber('n', n)
  probability('p', p)
  if (k < 0) return 0
  const whole = Math.floor(k)
  return whole >= n ? 1 : incompleteBeta(whole + 1, n - whole, { x: p, y: 1 - p }).upper
}

/** The smallest k with P(X <= k) >= q, for q in [0, 1]. */
export function binomialQuantile(q: number, { n, p }: { n: number; p: number }): number {
  probability('q', q)
  wholeNumber('n', n)
  probability('p', p)
  // A q that is itself one of the sums must not be missed by its last digit.
  const enough = q * (1 - 2 ** -46)
  let low = 0
  let high = n
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (binomialCdf(middle, { n, p }) >= enough) high = middle
    else low = middle + 1
  }
  return low
}

function number(name: string, value: number): void {
  if (Number.isNaN(value)) throw new RangeError(`${name} is not a number`)
}

function probability(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} is ${value}; it must lie between 0 and 1`)
}

function positive(name: string, value: number): void {
  if (!(value > 0)) throw new RangeError(`${name} is ${value}; it must be more than 0`)
}

function wholeNumber(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} is ${value}; it must be a whole number`)
}

/** Coefficients from the highest power down. */
function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0
  for (const coefficient of coefficients) value = value * x + coefficient
  return value
}

const middleTop = [
  2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946, 1971.5909503065513,
  133.14166789178438, 3.3871328727963665,
]
const middleBottom = [
  5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751, 687.1870074920579,
  42.31333070160091, 1,
]
const tailTop = [
  0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
  5.769497221460691, 4.630337846156546, 1.4234371107496835,
]
const tailBottom = [
  1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
  1.6763848301838038, 2.053191626637759, 1,
]
const farTop = [
  2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124, 0.29656057182850487,
  1.7848265399172913, 5.463784911164114, 6.657904643501103,
]
const farBottom = [
  2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133, 0.014875361290850615,
  0.1369298809227358, 0.599832206555888, 1,
]
