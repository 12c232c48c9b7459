import { type Calibration, limits } from '@llm-eval/protocol'
import { cohenKappa, correctedRate, type Interval, proportion } from '@llm-eval/statistics'
import type { JudgedTrace } from '@llm-eval/store'

/** What a calibration says, but for whom and when. */
export type Agreement = Omit<Calibration, 'evaluator' | 'evaluator_version' | 'state' | 'made_at'>

/**
 * How an evaluator's verdicts agree with people's. Counted are traces that both judged: the evaluator by passing or not, a
 * person by accepting or rejecting. The corrected rate is Rogan and Gladen's, its interval that of Lang and Reiczigel, since
 * calibrations are small.
 */
export function agreementOf(traces: readonly JudgedTrace[]): Agreement {
  const judged = traces.filter(({ passed }) => passed !== null)
  const both = judged.filter(({ accepted }) => accepted !== null)
  const of = (passed: boolean, accepted: boolean) =>
    both.filter((trace) => trace.passed === passed && trace.accepted === accepted)
  const [truePositive, falsePositive] = [of(true, true), of(true, false)]
  const [trueNegative, falseNegative] = [of(false, false), of(false, true)]
  const confusion = {
    true_positive: truePositive.length,
    false_positive: falsePositive.length,
    true_negative: trueNegative.length,
    false_negative: falseNegative.length,
  }
  const agreed = truePositive.length + trueNegative.length
  const passed = judged.filter((trace) => trace.passed === true).length
  const rate = correctedRate(
    {
      passed,
      judged: judged.length,
      truePositives: truePositive.length,
      accepted: truePositive.length + falseNegative.length,
      trueNegatives: trueNegative.length,
      rejected: trueNegative.length + falsePositive.length,
    },
    { interval: 'lang_reiczigel' },
  )
  return {
    n: both.length,
    judge_only: judged.length - both.length,
    human_only: traces.filter((trace) => trace.passed === null && trace.accepted !== null).length,
    confusion,
    agreement: proportion(agreed, both.length),
    kappa: kappaOf(confusion),
    raw_rate: rate?.raw ?? null,
    corrected_rate: rate?.corrected ?? null,
    false_positives: examplesOf(falsePositive),
    false_negatives: examplesOf(falseNegative),
  }
}

function kappaOf(confusion: Agreement['confusion']): Interval | null {
  const { true_positive, false_positive, true_negative, false_negative } = confusion
  const kappa = cohenKappa([
    [true_positive, false_positive],
    [false_negative, true_negative],
  ])
  return kappa?.interval ?? null
}

function examplesOf(traces: readonly JudgedTrace[]): string[] {
  return traces.slice(0, limits.calibrationExamples).map(({ traceId }) => traceId)
}
