import { describe, expect, it, test } from 'vitest'
import {
  benjaminiHochberg,
  bonferroni,
  clusteredStandardError,
  cohenKappa,
  correctedRate,
  correlation,
  fleissKappa,
  holm,
  krippendorffAlpha,
  mcNemar,
  mean,
  meanEstimate,
  minimalDetectableEffect,
  newcombe,
  normalQuantile,
  pairedDifference,
  passAtK,
  passHatK,
  passRate,
  proportion,
  requiredCases,
  signFlipTest,
  signTest,
  tQuantile,
  variance,
  welch,
  wilcoxonSignedRank,
} from '../src/index.ts'
import { expectClose } from './close.ts'
import * as vectors from './vectors.ts'

const oneTo = (n: number) => Array.from({ length: n }, (_, index) => index)
const bounds = (interval: { low: number; high: number } | null | undefined) => [interval?.low, interval?.high]

describe('the vectors hold for', () => {
  test.each(vectors.tTable)('t with %d degrees of freedom', (df, t) => {
    expectClose(tQuantile(0.975, df), t, 1e-11)
  })

  test.each(vectors.inspectTable)('the t table of Inspect with %d degrees of freedom', (df, t) => {
    expectClose(tQuantile(0.975, df), t, 1e-9)
  })

  test.each(vectors.normalTable)('the normal quantile of %d', (p, z) => {
    expectClose(normalQuantile(p), z, 1e-14)
  })

  it('a mean with its error and t interval', () => {
    const estimate = meanEstimate(vectors.binaryMean.x)
    expectClose([estimate?.mean, estimate?.se], [vectors.binaryMean.mean, vectors.binaryMean.se], 1e-14)
    expectClose(bounds(estimate?.interval), vectors.binaryMean.t_ci95, 1e-12)
  })

  it('the variance, the error and the mean that Inspect tests', () => {
    expect(variance(oneTo(10))).toBeCloseTo(9.167, 3)
    expect(meanEstimate(oneTo(10))?.se).toBeCloseTo(0.957, 3)
    // Correct, incorrect, partial and no answer, with Inspect's values for them.
    expect(mean([1, 0, 0.5, 0])).toBe(0.375)
  })

  it('clustered errors, by the paper and with the correction of Inspect', () => {
    const { s, cluster } = vectors.clusteredValues
    expectClose(clusteredStandardError(s, cluster), vectors.clusteredValues.miller_no_correction, 1e-14)
    const corrected = clusteredStandardError(s, cluster, { correction: 'small_sample' })
    expectClose(corrected, vectors.clusteredValues.inspect_with_C_over_Cm1, 1e-14)
    expect(clusteredStandardError(oneTo(20), oneTo(20).fill(7))).toBe(0)
  })

  it('the pairs that are told apart only when they are seen as pairs', () => {
    const { a, b, ...expected } = vectors.pairedExample
    const seen = pairedDifference(a, b)
    expectClose(
      [seen?.difference, seen?.se, seen?.t, seen?.p, seen?.effectSize, seen?.correlation],
      [expected.mean_diff, expected.se_diff, expected.t, expected.p, expected.cohen_dz, expected.pearson],
      1e-12,
    )
    expectClose(bounds(seen?.interval), expected.ci95, 1e-12)
    expectClose(correlation(a, b), expected.pearson, 1e-14)
    expectClose(welch(a, b)?.p, expected.welch_unpaired_p, 1e-12)
    const differences = a.map((value, at) => value - (b[at] ?? 0))
    expect(signFlipTest(differences)?.p).toBe(expected.signFlip)
  })

  test.each(vectors.mcnemarTable)('McNemar with $b against $c', (expected) => {
    const seen = mcNemar(expected.b, expected.c)
    expectClose([seen.p, seen.midP], [expected.exact_p, expected.mid_p], 1e-13)
    expectClose([seen.chiSquared?.statistic, seen.chiSquared?.p], [expected.chi2, expected.p], 1e-13)
    expectClose([seen.corrected?.statistic, seen.corrected?.p], [expected.chi2_cc, expected.p_cc], 1e-13)
  })

  it('the sign test', () => {
    expectClose(signTest(8, 2).p, 0.109375, 1e-15)
  })

  test.each(vectors.proportionTable)('four intervals of $k of $n', ({ k, n, ...intervals }) => {
    const methods = ['wilson', 'clopper_pearson', 'jeffreys', 'agresti_coull'] as const
    for (const method of methods) expectClose(bounds(proportion(k, n, { method })), intervals[method], 1e-12)
  })

  it("Wilson's interval of 7 of 10, 3 of 3 and 0 of 10, to the digits given", () => {
    const shown = (k: number, n: number) => bounds(proportion(k, n)).map((bound) => bound?.toFixed(4))
    expect(shown(7, 10)).toEqual(['0.3968', '0.8922'])
    expect(shown(3, 3)).toEqual(['0.4385', '1.0000'])
    expect(shown(0, 10)).toEqual(['0.0000', '0.2775'])
  })

  test.each(vectors.passTable)('pass@k and pass^k of n $n, c $c, k $k', ({ n, c, k, at, hat }) => {
    expectClose([passAtK({ n, c }, k), passHatK({ n, c }, k)], [at, hat], 1e-14)
  })

  it('the example samples of human-eval: one of two correct is pass@1 of 0.5', () => {
    const tasks = [
      { n: 1, c: 1 },
      { n: 1, c: 0 },
    ]
    expect(passRate(tasks, 1, { of: 'any' })?.mean).toBe(0.5)
  })

  it('kappa, weighted kappa and Fleiss', () => {
    expectClose(cohenKappa(vectors.kappaTable)?.kappa, 0.4, 1e-14)
    expectClose(fleissKappa(vectors.fleissTable.table)?.kappa, vectors.fleissTable.kappa, 1e-14)
  })

  test.each(vectors.inspectAlphas)('$metric alpha $alpha', ({ metric, units, alpha }) => {
    if (metric !== 'nominal' && metric !== 'ordinal' && metric !== 'interval') throw new Error(metric)
    expectClose(krippendorffAlpha(units, { metric })?.alpha, alpha, 1e-14)
  })

  it('the alphas that are known as fractions', () => {
    const alpha = (metric: 'nominal' | 'interval' | 'ordinal', units: number[][]) =>
      krippendorffAlpha(units, { metric })?.alpha
    expectClose(
      alpha('interval', [
        [1, 2],
        [3, 4],
        [1, 1],
      ]),
      19 / 24,
      1e-15,
    )
    expectClose(
      alpha('ordinal', [
        [1, 1],
        [3, 4],
        [5, 5],
      ]),
      94 / 99,
      1e-15,
    )
  })

  test.each(vectors.roganGladen)(
    'a judge that passes $observed, sees $sens of the good and $spec of the bad',
    (row) => {
      const of = 1_000
      const counts = { passed: row.observed * of, judged: of, accepted: of, rejected: of }
      const judged = { ...counts, truePositives: row.sens * of, trueNegatives: row.spec * of }
      expectClose(correctedRate(judged)?.corrected?.estimate, row.corrected, 1e-14)
    },
  )

  it('a corrected rate whose error comes from the calibration', () => {
    const counts = { passed: 400, judged: 500, truePositives: 54, accepted: 60, trueNegatives: 28, rejected: 40 }
    const seen = correctedRate(counts)
    expect(seen?.corrected?.estimate).toBeCloseTo(0.8333, 4)
    expect(seen?.se).toBeCloseTo(0.0647, 4)
    expect(Math.sqrt((0.8 * 0.2) / 500)).toBeCloseTo(0.0179, 4)
  })

  it('Holm, Benjamini-Hochberg and Bonferroni', () => {
    expectClose(holm(vectors.manyTests.p), vectors.manyTests.holm, 1e-15)
    expectClose(benjaminiHochberg(vectors.manyTests.p), vectors.manyTests.bh, 1e-15)
    expectClose(bonferroni(vectors.manyTests.p), vectors.manyTests.bonferroni, 1e-15)
  })

  test.each(vectors.mdeTable)('the minimal detectable effect of $n cases', ({ n, sd_diff, mde_normal, power }) => {
    expectClose(minimalDetectableEffect({ n, sd: sd_diff, power }), mde_normal, 1e-14)
  })

  it('the cases that a difference of 0.05 needs, and the difference that 100 cases show', () => {
    expect(requiredCases({ effect: 0.05, sd: 0.5 })).toBe(785)
    expect(minimalDetectableEffect({ n: 100, sd: 0.5 })).toBeCloseTo(0.14, 3)
  })

  test.each(vectors.newcombeTable)('Newcombe with $k1/$n1 against $k2/$n2', ({ k1, n1, k2, n2, ci }) => {
    expectClose(bounds(newcombe({ successes: k1, trials: n1 }, { successes: k2, trials: n2 })), ci, 1e-13)
  })

  it('signed ranks without ties', () => {
    const { d, W, p_exact, p_normal_cc } = vectors.wilcoxonExample
    const exact = wilcoxonSignedRank(d)
    expect([Math.min(exact.wPlus, exact.wMinus), exact.method]).toEqual([W, 'exact'])
    expectClose(exact.p, p_exact, 1e-15)
    expectClose(wilcoxonSignedRank(d, { method: 'normal' }).p, p_normal_cc, 1e-13)
  })
})
