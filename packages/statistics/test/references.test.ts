import { describe, expect, it, test } from 'vitest'
import { correctedTails } from '../src/bootstrap.ts'
import {
  benjaminiHochberg,
  betaCdf,
  betaQuantile,
  binomialCdf,
  binomialPmf,
  binomialQuantile,
  bonferroni,
  bootstrap,
  bootstrapMean,
  chiSquaredCdf,
  chiSquaredQuantile,
  clusteredMean,
  clusteredStandardError,
  cohenKappa,
  fleissKappa,
  hodgesLehmann,
  holm,
  krippendorffAlpha,
  mcNemar,
  mean,
  meanEstimate,
  newcombe,
  newcombePaired,
  normalCdf,
  normalQuantile,
  normalUpperTail,
  pairedDifference,
  percentile,
  percentiles,
  proportion,
  requiredCases,
  signFlipTest,
  tCdf,
  tQuantile,
  tTwoSided,
  varianceSplit,
  welch,
  wilcoxonSignedRank,
} from '../src/index.ts'
import { expectClose, expectSameDigits } from './close.ts'
import * as agreement from './references-agreement.ts'
import * as distributions from './references-distributions.ts'
import * as samples from './references-samples.ts'

const bounds = (interval: { low: number; high: number } | null | undefined) => [interval?.low, interval?.high]

describe('scipy gives the same', () => {
  test.each(distributions.normalCdfs)('P(Z <= %d)', (z, p) => {
    expectSameDigits(normalCdf(z), p, 1e-12)
    expectSameDigits(normalUpperTail(-z), p, 1e-12)
  })
  test.each(distributions.normalQuantiles)('normal quantile of %d', (p, z) => expectClose(normalQuantile(p), z, 1e-14))
  test.each(distributions.tCdfs)('P(T <= %d) with %d degrees of freedom', (t, df, p) => {
    expectSameDigits(tCdf(t, df), p)
    expectSameDigits(tTwoSided(t, df), 2 * Math.min(p, 1 - p), 1e-9)
  })
  test.each(distributions.tQuantiles)('t quantile of %d with %d degrees of freedom', (p, df, t) => {
    expectSameDigits(tQuantile(p, df), t)
  })
  test.each(distributions.chiSquaredCdfs)('chi-squared: P(X <= %d) with %d degrees of freedom', (x, df, p) => {
    if (p > 1e-290) expectSameDigits(chiSquaredCdf(x, df), p)
    else expect(chiSquaredCdf(x, df)).toBeLessThan(1e-280)
  })
  test.each(distributions.chiSquaredQuantiles)('chi-squared quantile of %d with %d degrees of freedom', (p, df, x) => {
    expectSameDigits(chiSquaredQuantile(p, df), x)
  })
  test.each(distributions.betaCdfs)('beta: P(X <= $x) with a $a and b $b', ({ x, a, b, p }) => {
    if (p > 1e-290) expectSameDigits(betaCdf(x, { a, b }), p)
    else expect(betaCdf(x, { a, b })).toBeLessThan(1e-280)
  })
  test.each(distributions.betaQuantiles)('beta quantile of $p with a $a and b $b', ({ p, a, b, x }) => {
    expectSameDigits(betaQuantile(p, { a, b }), x)
  })
  test.each(distributions.binomials)(
    'binomial quantile of $q, and $k of $n with probability $p',
    ({ q, k, n, p, pmf, cdf }) => {
      expect(binomialQuantile(q, { n, p })).toBe(k)
      expectSameDigits(binomialPmf(k, { n, p }), pmf)
      expectSameDigits(binomialCdf(k, { n, p }), cdf)
    },
  )
})

describe('scipy, numpy and statsmodels give the same for', () => {
  test.each(samples.means)('a mean at level $level', ({ x, level, mean: center, se, interval }) => {
    const seen = meanEstimate(x, { level })
    expectClose([seen?.mean, seen?.se, ...bounds(seen?.interval)], [center, se, ...interval])
  })

  test.each(samples.clusteredSamples)('errors of clustered values', ({ x, clusters, miller, small_sample }) => {
    expectClose(clusteredStandardError(x, clusters), miller)
    expectClose(clusteredMean(x, clusters, { correction: 'small_sample' })?.se, small_sample)
  })

  test.each(samples.proportions)('$k of $n at level $level', ({ k, n, level, ...intervals }) => {
    for (const method of ['wilson', 'clopper_pearson', 'jeffreys', 'agresti_coull'] as const)
      expectClose(bounds(proportion(k, n, { level, method })), intervals[method])
  })

  test.each(samples.newcombeIntervals)('shares $a and $b', ({ a, b, level, interval }) => {
    const [successes = 0, trials = 0] = a
    const other = { successes: b[0] ?? 0, trials: b[1] ?? 0 }
    expectClose(bounds(newcombe({ successes, trials }, other, { level })), interval)
  })

  test.each(samples.newcombePairedIntervals)('paired shares $counts', ({ counts, interval }) => {
    const [both = 0, onlyA = 0, onlyB = 0, neither = 0] = counts
    expectClose(bounds(newcombePaired({ both, onlyA, onlyB, neither })), interval)
  })

  test.each(samples.pairedSamples)('paired and unpaired t tests', ({ a, b, t, p, interval, r, welch: other }) => {
    const paired = pairedDifference(a, b)
    expectClose([paired?.t, paired?.p, paired?.correlation, ...bounds(paired?.interval)], [t, p, r, ...interval], 1e-9)
    const unpaired = welch(a, b)
    expectClose([unpaired?.t, unpaired?.df, unpaired?.p], [other.t, other.df, other.p])
    expectClose(bounds(unpaired?.interval), other.interval)
  })

  test.each(samples.signFlips)('the sign-flip test of $d', ({ d, p }) => {
    const seen = signFlipTest(d)
    expect(seen?.method).toBe('exact')
    expectClose(seen?.p, p, 1e-15)
  })

  test.each([...samples.wilcoxons, ...samples.wilcoxonTies])(
    'signed ranks with the sum $w',
    ({ d, w, exact, normal }) => {
      const seen = wilcoxonSignedRank(d)
      expect([Math.min(seen.wPlus, seen.wMinus), seen.method]).toEqual([w, 'exact'])
      expectClose(seen.p, exact, 1e-13)
      expectClose(wilcoxonSignedRank(d, { method: 'normal' }).p, normal)
    },
  )

  test.each(samples.hodgesLehmanns)('the Hodges-Lehmann estimate $estimate', ({ d, estimate, interval }) => {
    const seen = hodgesLehmann(d)
    expectClose([seen?.estimate, ...bounds(seen)], [estimate, ...interval], 1e-15)
  })

  test.each(samples.mcnemars)('McNemar with $b against $c', ({ b, c, exact, chi2, corrected, mid }) => {
    const seen = mcNemar(b, c)
    expectClose(seen.p, exact)
    if (mid !== undefined) expectClose(seen.midP, mid)
    if (chi2) expectClose([seen.chiSquared?.statistic, seen.chiSquared?.p], chi2)
    if (corrected) expectClose([seen.corrected?.statistic, seen.corrected?.p], corrected)
  })

  test.each(samples.multiplicity)('p-values $p', (expected) => {
    expectClose(bonferroni(expected.p), expected.bonferroni, 1e-15)
    expectClose(holm(expected.p), expected.holm, 1e-15)
    expectClose(benjaminiHochberg(expected.p), expected.bh, 1e-15)
  })

  test.each(samples.powers)(
    'the cases that a difference of $effect needs',
    ({ alpha, paired, independent, ...plan }) => {
      const level = 1 - alpha
      expect(requiredCases({ ...plan, level })).toBe(Math.ceil(paired - 1e-6))
      expect(requiredCases({ ...plan, level, design: 'independent' })).toBe(Math.ceil(independent - 1e-6))
    },
  )

  it('percentiles', () => {
    const { x, p, values } = samples.percentileSample
    expectClose(percentiles(x, p), values, 1e-15)
  })

  it('where BCa reads its bounds, with every resample there is', () => {
    const { x, tails } = samples.bcaTails
    let all: number[][] = [[]]
    for (let draw = 0; draw < x.length; draw++) all = all.flatMap((chosen) => x.map((value) => [...chosen, value]))
    const average = (values: number[]) => mean(values) ?? Number.NaN
    const ordered = Float64Array.from(all, average).sort()
    const jackknife = Float64Array.from(x, (_, left) => average(x.filter((__, at) => at !== left)))
    expectClose(correctedTails({ estimate: average(x), ordered, jackknife, level: 0.95 }), tails, 1e-12)
  })

  it('bootstrapped means and medians, as far as drawing can tell', () => {
    const { x, bca, percentile: plain, median } = samples.bootstrapSample
    const width = (plain[1] ?? 0) - (plain[0] ?? 0)
    const near = (seen: (number | undefined)[], expected: number[]) => expectClose(seen, expected, 0.03 * width)
    near(bounds(bootstrapMean(x, { resamples: 100_000 })), bca)
    near(bounds(bootstrapMean(x, { resamples: 100_000, method: 'percentile' })), plain)
    near(bounds(bootstrap(x, (sample) => mean(sample) ?? 0, { resamples: 40_000 })), bca)
    const middle = (sample: Float64Array) => percentile(sample, 0.5) ?? 0
    near(bounds(bootstrap(x, middle, { resamples: 40_000, method: 'percentile' })), median)
  })
})

describe('statsmodels, scikit-learn and krippendorff give the same', () => {
  test.each(agreement.cohenKappas)('kappa of $table', ({ table, ...expected }) => {
    for (const weights of ['none', 'linear', 'quadratic'] as const) {
      const seen = cohenKappa(table, { weights })
      expectClose([seen?.kappa, seen?.se], expected[weights])
    }
  })

  test.each(agreement.fleissKappas)('kappa of many raters', ({ table, kappa, se }) => {
    const seen = fleissKappa(table)
    expectClose([seen?.kappa, seen?.se], [kappa, se])
  })

  test.each(agreement.krippendorffAlphas)('alphas of ratings with gaps', ({ units, ...expected }) => {
    for (const metric of ['nominal', 'ordinal', 'interval'] as const)
      expectClose(krippendorffAlpha(units, { metric })?.alpha, expected[metric])
  })

  it('split of variance', () => {
    const { scores, ...expected } = agreement.nestedScores
    const seen = varianceSplit(scores)
    expectClose([seen?.case, seen?.agent, seen?.judge], [expected.case, expected.agent, expected.judge])
  })
})
