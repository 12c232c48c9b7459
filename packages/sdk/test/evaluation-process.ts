// Evaluates until it is killed: node evaluation-process.ts URL. From the thirteenth case on its task never ends.
import { Evaluator } from '../src/evaluation/index.ts'

const [baseUrl = ''] = process.argv.slice(2)
const dataset = Array.from({ length: 30 }, (_, index) => ({ id: `c${index}`, input: `${index}` }))
const task = (input: unknown) => (Number(input) < 12 ? input : new Promise(() => undefined))
await new Evaluator({ task, dataset, metrics: ['word-count'], baseUrl, runId: 'r', concurrency: 1 }).run()
