import type { EvaluationUsage } from '@llm-eval/protocol'

/** What an answer from the cache consumed: nothing. */
export function nothingPaid(model: string | null): EvaluationUsage {
  return { model, input_tokens: 0, output_tokens: 0, cost: 0, cached: true }
}

/** What a call consumed that brought nothing, and may have to be paid all the same: nobody knows. */
export const unknownUsage: EvaluationUsage = {
  model: null,
  input_tokens: null,
  output_tokens: null,
  cost: null,
  cached: false,
}

/** All of them together. What is unknown of one is unknown of the sum; null when there are none. */
export function summed(usages: readonly EvaluationUsage[]): EvaluationUsage | null {
  const [first] = usages
  if (!first) return null
  const sum = (of: (usage: EvaluationUsage) => number | null) =>
    usages.reduce<number | null>((all, usage) => {
      const one = of(usage)
      return all === null || one === null ? null : all + one
    }, 0)
  const models = new Set(usages.flatMap(({ model }) => model ?? []))
  const [model = null] = models
  return {
    model: models.size === 1 ? model : null,
    input_tokens: sum((usage) => usage.input_tokens),
    output_tokens: sum((usage) => usage.output_tokens),
    cost: inDollars(sum((usage) => (usage.cost === null ? null : Math.round(usage.cost * 1e9)))),
    cached: usages.every(({ cached }) => cached),
  }
}

/** Nano-dollars as dollars. */
export function inDollars(nanoDollars: number | null): number | null {
  return nanoDollars === null ? null : nanoDollars / 1e9
}
