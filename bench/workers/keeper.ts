/** A process that evaluates into a data directory of its own, as `llm-eval run` does. `node keeper.ts DIRECTORY`. */
import { loadConfig, openLocalRuns } from '@llm-eval/server/local'
import { Evaluator } from '../../packages/sdk/src/evaluation/index.ts'
import { serveOrders } from '../job.ts'
import { metrics, sevens } from '../sevens.ts'

export interface KeepOrder {
  items: number
}

export interface KeepReport {
  perSecond: number
}

const { config } = await loadConfig({ cwd: process.cwd(), env: {}, flags: { data: process.argv[2] } })
const local = await openLocalRuns({ config })

serveOrders(
  async ({ items }: KeepOrder): Promise<KeepReport> => {
    const evaluator = new Evaluator({
      baseUrl: 'http://localhost',
      fetch: async (url, init) => (await local.answer(new URL(url), init)) ?? fetch(url, init),
      concurrency: 16,
      dataset: sevens(items),
      metrics,
      task: (input) => ({ output: input, cost: 0 }),
    })
    const started = performance.now()
    const { completedItems, delivery } = await evaluator.run()
    const seconds = (performance.now() - started) / 1_000
    if (completedItems !== items || delivery.undelivered + delivery.refused > 0)
      throw new Error(`of ${items} items ${completedItems} were done, and ${delivery.delivered} events stored`)
    return { perSecond: items / seconds }
  },
  () => local.close(),
)
