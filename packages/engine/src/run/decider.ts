import type { RunDecision, RunItem } from '@llm-eval/protocol'
import { createConfidenceSequence } from '@llm-eval/statistics'
import { numberOf, scoreOf } from './totals.ts'
import type { Slot } from './source.ts'

/** Says when a run has seen enough. */
export interface Decider {
  /** An item is begun: they begin in the order of the dataset. */
  begun(slot: Slot): void
  /** @returns whether the threshold is ruled out now. Throws a RangeError at values outside of 0 to 1. */
  finished(slot: Slot, item: RunItem): boolean
}

interface OpenCase {
  left: number
  sum: number
  n: number
}

/**
 * Follows the mean of a metric with a confidence sequence, until that excludes the threshold. A case counts once, with the mean of
 * its repetitions, which are not independent; and cases count in the order of the dataset, not in which they finish, for quick
 * answers may be better ones. Cases without a score count nowhere. Cases of a dataset that is sorted, say by difficulty, are no
 * sample of it: shuffle them first. A run that is resumed begins to look anew, at what it asks from then on: each part keeps to
 * the level by itself, so that a run of several parts is wrong a little more often.
 */
export function createDecider({ metric, threshold, level }: RunDecision): Decider {
  const sequence = createConfidenceSequence({ level })
  /** By index, in the order in which they began. */
  const open = new Map<number, OpenCase>()
  let decided = false
  return {
    begun({ caseIndex, caseSlots }) {
      if (!open.has(caseIndex)) open.set(caseIndex, { left: caseSlots, sum: 0, n: 0 })
    },
    finished({ caseIndex }, { scores }) {
      const one = open.get(caseIndex)
      const score = scoreOf(scores, metric)
      const value = score ? numberOf(score) : null
      if (!one) return decided
      one.left--
      if (value !== null) {
        one.sum += value
        one.n++
      }
      for (const [index, { left, sum, n }] of open) {
        if (left > 0) break
        open.delete(index)
        if (n === 0) continue
        const { low, high } = sequence.add(sum / n)
        decided ||= low > threshold || high < threshold
      }
      return decided
    },
  }
}
