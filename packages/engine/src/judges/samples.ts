import type { EvaluationUsage } from '@llm-eval/protocol'
import { NoScore, type Verdict } from '../evaluator.ts'
import { summed } from '../models/usage.ts'

/** What one sample of a judge says. */
export interface Reading {
  value: number | null
  passed: boolean | null
  label?: string | null
  explanation: string | null
  output: Record<string, unknown>
}

export interface Sampled {
  reading: Reading
  usage: EvaluationUsage
}

/** Samples that are asked for at once. */
const atOnce = 5

/**
 * Takes samples, some at once. If one fails so does all: the rest would be another experiment than the one that was asked for.
 *
 * @throws {NoScore} the first failure, with what all of them consumed
 */
export async function takeSamples(
  count: number,
  progress: (done: number, total: number) => void,
  one: (sample: number) => Promise<Sampled>,
): Promise<Sampled[]> {
  // By their number, whichever comes first: what is shown must not depend on it.
  const taken: Sampled[] = Array.from({ length: count })
  let done = 0
  const paid: EvaluationUsage[] = []
  const failures: unknown[] = []
  let next = 0
  const worker = async () => {
    while (next < count && failures.length === 0) {
      const sample = next++
      try {
        const sampled = await one(sample)
        taken[sample] = sampled
        paid.push(sampled.usage)
        progress(++done, count)
      } catch (error) {
        failures.push(error)
        if (error instanceof NoScore && error.usage) paid.push(error.usage)
      }
    }
  }
  progress(0, count)
  await Promise.all(Array.from({ length: Math.min(count, atOnce) }, worker))
  const [failure] = failures
  if (failure instanceof NoScore) throw new NoScore(failure.fault, failure.message, summed(paid))
  if (failure !== undefined) throw failure
  return taken
}

/**
 * One verdict of several samples: the majority decides, a tie fails (Zheng 2023, arXiv:2306.05685, counts what is inconsistent
 * as no win). The value is the mean. Samples on both sides of the threshold make the label `uncertain`; `pass_share` says how
 * many passed. Without passes it is the label that has the majority.
 *
 * @param valueField the result field that shows the value, so that it shows the mean
 */
export function combined(samples: readonly Sampled[], valueField?: string): Verdict {
  const readings = samples.map(({ reading }) => reading)
  const usage = summed(samples.map((sample) => sample.usage))
  const [only] = readings
  if (!only) throw new NoScore('unparsable_answer', 'The judge took no sample.', usage)
  if (readings.length === 1) return { ...only, usage }

  const value = mean(readings.flatMap((reading) => (reading.value === null ? [] : [reading.value])))
  const judged = readings.filter(({ passed }) => passed !== null)
  const share = judged.length === 0 ? null : judged.filter(({ passed }) => passed === true).length / judged.length
  const passed = share === null ? null : share > 0.5
  const label = share === null || share === 0 || share === 1 ? majorityLabel(readings, passed) : 'uncertain'
  const shown = nearest(
    readings.filter((one) => one.passed === passed && (share !== null || (one.label ?? null) === label)),
    value,
  )
  const output = { ...(shown ?? only).output }
  if (valueField !== undefined && value !== null && typeof output[valueField] === 'number') output[valueField] = value
  const words = (shown ?? only).explanation
  return {
    value,
    passed,
    label,
    explanation: label === 'uncertain' ? `${toldShare(readings, share)} ${words ?? ''}`.trim() : words,
    output: { ...output, samples: readings.length, ...(share === null ? {} : { pass_share: share }) },
    usage,
  }
}

function toldShare(readings: readonly Reading[], share: number | null): string {
  return share === null
    ? `${readings.length} samples agree on no label.`
    : `${Math.round(share * readings.length)} of ${readings.length} samples passed.`
}

/** The label of more than half; `uncertain` where no label is, unless passes decide. */
function majorityLabel(readings: readonly Reading[], passed: boolean | null): string | null {
  const counts = new Map<string | null, number>()
  for (const { label = null } of readings) counts.set(label, (counts.get(label) ?? 0) + 1)
  const [most] = [...counts].sort(([, a], [, b]) => b - a)
  if (most && most[1] > readings.length / 2) return most[0]
  return passed === null ? 'uncertain' : (most?.[0] ?? null)
}

/** The sample that is shown for all: the one whose value is nearest to theirs. */
function nearest(readings: readonly Reading[], value: number | null): Reading | undefined {
  const distance = (reading: Reading) => Math.abs((reading.value ?? 0) - (value ?? 0))
  return readings.toSorted((a, b) => distance(a) - distance(b))[0]
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}
