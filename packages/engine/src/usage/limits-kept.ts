import type { Evidence } from '@llm-eval/protocol'
import * as z from 'zod'
import { type Evaluator, evaluator } from '../evaluator.ts'

const config = z.strictObject({
  max: z.number().min(0).optional().describe('Values up to here pass; without it the value is only recorded.'),
})

/** How long the answer took. */
export const latency = measured({
  slug: 'latency',
  name: 'Latency',
  description: 'Milliseconds that the answer took. Passes up to `max`.',
  evidence: 'latency',
  field: 'Milliseconds.',
  aliases: ['response-time', 'response-time-ms', 'duration'],
  example: { input: { latency: 420 }, config: { max: 1_000 }, value: 420, passed: true },
})

/** What the answer cost. */
export const cost = measured({
  slug: 'cost',
  name: 'Cost',
  description: 'US dollars that the answer cost. Passes up to `max`. An unknown cost is skipped, never 0.',
  evidence: 'cost',
  field: 'US dollars.',
  aliases: [],
  example: { input: { cost: 0.25 }, config: { max: 0.1 }, value: 0.25, passed: false },
})

/** How many tokens it took. */
export const tokens = measured({
  slug: 'tokens',
  name: 'Tokens',
  description: 'Tokens of the question and the answer together. Passes up to `max`.',
  evidence: 'tokens',
  field: 'Tokens.',
  aliases: ['token-count'],
  example: { input: { tokens: 1_500 }, value: 1_500, passed: null },
})

interface Kind extends Pick<Evaluator, 'slug' | 'name' | 'description' | 'aliases' | 'example'> {
  evidence: Evidence
  /** What the input is counted in. */
  field: string
}

function measured({ evidence, field, ...kind }: Kind): Evaluator<z.output<typeof config>> {
  return evaluator({
    ...kind,
    kind: 'code',
    category: 'usage',
    needs: [evidence],
    input: [{ name: evidence, type: 'number', description: field, required: true }],
    output: [],
    config,
    range: { min: 0, max: null },
    direction: 'lower',
    runs: 'inline',
    score(input, { config: { max } }) {
      const value = Number(input[evidence])
      return { value, passed: max === undefined ? null : value <= max }
    },
  })
}
