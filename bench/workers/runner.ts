/** A process that works a run off, with a task that does nothing and three deterministic evaluators; nothing is stored. */
import { createEngine, createScorer, run, type RunCase } from '@llm-eval/engine'
import { serveOrders } from '../job.ts'

export interface RunOrder {
  /** `bare`: the same evaluations in a pool of promises, with nothing around them. */
  kind: 'run' | 'bare'
  items: number
}

export interface RunReport {
  perSecond: number
  /** Megabytes that were resident at most, from the start of the process. */
  peak: number
}

const engine = createEngine()
const concurrency = 16
const settings = { concurrency, timeout_ms: 60_000, retries: 0, repetitions: 1, limits: {}, decision: null }
const metrics = [
  { name: 'contains', evaluator: 'contains' },
  { name: 'regex', evaluator: 'regex-validator', config: { regex: '\\d+$' } },
  { name: 'levenshtein', evaluator: 'levenshtein' },
]

serveOrders(
  async ({ kind, items }: RunOrder): Promise<RunReport> => {
    const started = performance.now()
    const done = await { run: worked, bare: pooled }[kind](items)
    if (done !== items) throw new Error(`${done} of ${items} items were done`)
    const perSecond = (items * 1_000) / (performance.now() - started)
    return { perSecond, peak: process.resourceUsage().maxRSS / 1_024 }
  },
  () => engine.close(),
)

async function worked(items: number): Promise<number> {
  const { evaluate } = createScorer(engine, metrics)
  let done = 0
  const plan = { cases: cases(items), total: items, metrics, settings }
  for await (const event of run(plan, { answer: ({ case: { input } }) => ({ output: input, cost: 0 }), evaluate }))
    if (event.type === 'item' && Object.values(event.item.scores).every(({ outcome }) => outcome === 'scored')) done++
  return done
}

async function pooled(items: number): Promise<number> {
  const each = cases(items)
  let done = 0
  const work = async () => {
    for (const { input, expected } of each) {
      const score = ({ evaluator, config }: (typeof metrics)[number]) =>
        engine.evaluate({ evaluator, config, input: { query: input, response: input, reference: expected } })
      const scores = await Promise.all(metrics.map(score))
      if (scores.every(({ outcome }) => outcome === 'scored')) done++
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return done
}

function* cases(count: number): Generator<RunCase> {
  for (let index = 0; index < count; index++)
    yield {
      id: `case-${index}`,
      input: `What is ${index} times seven? It is ${index * 7}`,
      expected: String(index * 7),
    }
}
