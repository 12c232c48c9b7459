export {
  type Agreement,
  cohenKappa,
  fleissKappa,
  type KappaWeights,
  type Label,
  type LabelTable,
  tabulate,
} from './agreement.ts'
export { bootstrap, bootstrapMean, type BootstrapOptions, type Statistic } from './bootstrap.ts'
export {
  compare,
  type CompareOptions,
  type Comparison,
  type ComparisonTest,
  type Outcome,
  type Verdict,
} from './compare.ts'
export { type ConfidenceSequence, createConfidenceSequence } from './confidence-sequence.ts'
export { type CorrectedRate, correctedRate, type CorrectionOptions, type JudgedCounts } from './corrected-rate.ts'
export {
  betaCdf,
  betaQuantile,
  binomialCdf,
  binomialPmf,
  binomialQuantile,
  chiSquaredCdf,
  chiSquaredQuantile,
  chiSquaredUpperTail,
  normalCdf,
  normalQuantile,
  normalUpperTail,
  tCdf,
  tQuantile,
  tTwoSided,
} from './distributions.ts'
export type { Confidence, Interval } from './interval.ts'
export { type Alpha, type AlphaMetric, krippendorffAlpha, type Rating } from './krippendorff.ts'
export { mcNemar, type McNemarTest, type SignTest, signTest } from './mcnemar.ts'
export {
  type ClusterCorrection,
  type ClusteredMean,
  clusteredMean,
  clusteredStandardError,
  type ClusterKey,
  type MeanEstimate,
  meanEstimate,
} from './mean.ts'
export {
  joinMoments,
  momentsEstimate,
  type Moments,
  type MomentsOptions,
  noMoments,
  unitsProportion,
  withValue,
} from './moments.ts'
export { benjaminiHochberg, bonferroni, holm, type PValues } from './multiple.ts'
export {
  newcombePaired,
  type PairedCounts,
  type PairedDifference,
  pairedDifference,
  type PairedShares,
  pairedShares,
} from './paired.ts'
export { type Attempts, passAtK, passHatK, type PassRate, passRate } from './pass-rates.ts'
export { signFlipTest, type SignFlipTest } from './permutation.ts'
export { minimalDetectableEffect, type Plan, requiredCases } from './power.ts'
export { proportion, type ProportionMethod } from './proportion.ts'
export { createRandom, type Random } from './random.ts'
export {
  correlation,
  mean,
  percentile,
  percentileInterval,
  percentiles,
  standardDeviation,
  type Values,
  variance,
  weightedMean,
} from './sample.ts'
export { type Counts, newcombe, welch, type WelchTest } from './unpaired.ts'
export { type Design, plannedError, type VarianceSplit, varianceSplit } from './variance-split.ts'
export { hodgesLehmann, wilcoxonSignedRank, type WilcoxonTest } from './wilcoxon.ts'
