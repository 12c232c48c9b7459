/** User code that evaluates a task through the SDK, a given number of items a second. `node evaluation.ts URL`. */
import { Evaluator } from '../../packages/sdk/src/evaluation/index.ts'
import { microseconds } from '../delays.ts'
import { serveOrders } from '../job.ts'

export interface EvaluateOrder {
  runId: string
  items: number
  concurrency: number
  /** That the task waits; 0 answers at once. */
  taskMs: number
}

export interface Evaluated {
  /** From the beginning to the end of the evaluation, its last item delivered. */
  seconds: number
}

serveOrders(async ({ runId, items, concurrency, taskMs }: EvaluateOrder): Promise<Evaluated> => {
  const evaluator = new Evaluator({
    baseUrl: process.argv[2],
    runId,
    concurrency,
    dataset: Array.from({ length: items }, (_, i) => ({ id: `case-${i}`, input: `What is ${i}?`, expected: `${i}` })),
    metrics: ['exact-match', 'contains', 'levenshtein'],
    task: async () => {
      if (taskMs > 0) await new Promise((resolve) => setTimeout(resolve, taskMs))
      return `at-${String(microseconds()).padStart(16, '0')}, and so it is, as everybody knows who has asked before`
    },
  })
  const started = performance.now()
  await evaluator.run()
  return { seconds: (performance.now() - started) / 1_000 }
})
