// Evaluate it: llm-eval run examples/evaluation/eval.ts
import { defineEvaluation } from 'llm-eval-sdk/evaluation'
import { route } from './route.ts'

export default defineEvaluation({
  name: 'support-routing',
  // A file beside this one. Also: the name of a dataset on the server, a list, or a generator.
  dataset: './messages.jsonl',
  // What is evaluated: it is asked once for each case. Call your model here.
  task: (message: string) => {
    const { team, confidence } = route(message)
    return { output: team, context: { confidence } }
  },
  metrics: [
    // Built in: the output is what was expected.
    { name: 'right-team', evaluator: 'exact-match' },
    // One of your own. Its version goes up when it scores otherwise.
    {
      name: 'known-team',
      version: '1',
      evaluator: ({ output }) => ['billing', 'technical', 'sales'].includes(String(output)),
    },
    'latency',
  ],
  // What it must reach: `llm-eval run` ends with 1 when it does not, and with 3 when that cannot be told.
  gate: { min: { 'right-team': 0.8, 'known-team': 1 } },
  config: { router: 'keywords' },
})
