import type { SamplePlace } from './samples.ts'

/** A run of one's own code, with the SDK. */
export function runScript({ origin, keyed }: SamplePlace): string {
  const key = keyed ? `\n  apiKey: process.env.LLM_EVAL_API_KEY,` : ''
  return `// npm install llm-eval-sdk
import { Evaluator } from 'llm-eval-sdk/evaluation'

const evaluator = new Evaluator({
  baseUrl: '${origin}',${key}
  dataset: [
    { id: 'france', input: 'What is the capital of France?', expected: 'Paris' },
    { id: 'italy', input: 'What is the capital of Italy?', expected: 'Rome' },
  ],
  task: async (input) => 'Paris', // Call your application here.
  metrics: ['exact-match', 'latency'],
})
const result = await evaluator.run()
console.log(result.status, result.runUrl)`
}

/** A run that the server works off, from a terminal. */
export function runCommand({ origin, keyed }: SamplePlace): string {
  const key = keyed ? ' LLM_EVAL_API_KEY=…' : ''
  return `export LLM_EVAL_URL=${origin}${key}
llm-eval datasets import questions.csv
llm-eval runs start --dataset questions --outputs answer -m exact-match --watch`
}

/** The same as a request. */
export function runRequest({ origin, keyed }: SamplePlace): string {
  const key = keyed ? `  -H "Authorization: Bearer $LLM_EVAL_API_KEY" \\\n` : ''
  return `curl ${origin}/api/v1/runs \\
  -H 'Content-Type: application/json' \\
${key}  -d '{
    "name": "First run",
    "dataset": "questions",
    "task": {"kind": "outputs", "column": "answer"},
    "metrics_used": ["exact-match", "latency"]
  }'`
}
