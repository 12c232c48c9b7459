import { createEngine, type Engine, evaluator, NoScore } from '@llm-eval/engine'
import * as z from 'zod'

const text = [{ name: 'text', type: 'string', description: '', required: true }] as const
const parts = {
  name: 'Of a test',
  description: 'What a test wants to see.',
  kind: 'custom',
  category: 'custom',
  needs: ['response'],
  input: text,
  output: [],
  config: z.strictObject({ bonus: z.number().default(0) }),
  range: { min: 0, max: 10 },
  direction: 'higher',
  example: { input: { text: 'a' }, value: 1, passed: null },
  runs: 'inline',
} as const

/** Evaluators that wait, fail and tell how far they are, as a test wants it. */
export interface TestEvaluators {
  engine: Engine
  /** Inputs that `gated` was given, in order. */
  gatedInputs: string[]
  /** Lets `gated` go on: those that wait, and all that come. */
  open(): void
  /** Makes it wait again. */
  shut(): void
  /** What `paid` answers with from now on. */
  usage: { model: string; cost: number | null }
}

export function testEvaluators(): TestEvaluators {
  let gate = Promise.withResolvers<void>()
  const gatedInputs: string[] = []
  const usage: TestEvaluators['usage'] = { model: 'judge-1', cost: 0.25 }
  const gated = evaluator({
    ...parts,
    slug: 'gated',
    score: async ({ text: given }, { config, progress, signal }) => {
      gatedInputs.push(String(given))
      progress(1, 2)
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
      })
      await Promise.race([gate.promise, aborted])
      return { value: 1 + config.bonus, passed: true }
    },
  })
  const failing = evaluator({
    ...parts,
    slug: 'failing',
    score: () => {
      throw new NoScore('provider_error', 'The provider answered 500.')
    },
  })
  const silent = evaluator({
    ...parts,
    slug: 'silent',
    provider: 'chat',
    score: () => {
      throw new NoScore('timeout', 'The evaluator took longer than 120 seconds.')
    },
  })
  const paid = evaluator({
    ...parts,
    slug: 'paid',
    provider: 'chat',
    score: ({ text: given }) => ({
      value: 1,
      passed: !String(given).includes('bad'),
      usage: { ...usage, input_tokens: 10, output_tokens: 5, cached: false },
    }),
  })
  return {
    engine: createEngine({ evaluators: [gated, failing, silent, paid] }),
    gatedInputs,
    usage,
    open: () => gate.resolve(),
    shut: () => {
      gate = Promise.withResolvers<void>()
    },
  }
}
