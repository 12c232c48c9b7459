// TRACELOOP_BASE_URL=http://localhost:8000 TRACELOOP_API_KEY=… TRACELOOP_STREAM_TIMEOUT=300 node examples/seed-000/environment.ts
import { LLMEvalError, runEvaluator } from 'llm-eval-sdk/experiments'

try {
  const { result } = await runEvaluator({
    evaluatorSlug: 'accuracy-evaluator',
    inputSchemaMapping: { answer: '4', expected: '4' },
    waitForResult: true,
  })
  console.log(result)
} catch (error) {
  if (!(error instanceof LLMEvalError)) throw error
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = 1
}
