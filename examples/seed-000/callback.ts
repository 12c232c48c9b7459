import { Evaluator, type EvaluatorResult } from 'llm-eval-sdk/experiments'

function handleResult(result: EvaluatorResult): void {
  console.log('SSE result received:', result)
  // Process the parsed SSE result as needed
}

// Execute with callback - SSE stream will be processed in background
const response = await Evaluator.run({
  evaluatorSlug: 'accuracy-evaluator',
  inputSchemaMapping: {
    question: 'user_query',
    answer: 'model_response',
    expected: 'ground_truth',
  },
  data: { user_query: 'What is 2+2?', model_response: '4', ground_truth: '4' },
  callback: handleResult,
  timeoutMs: 120_000, // Optional timeout for SSE connection
})

console.log(`Execution initiated: ${response.execution_id}`)
console.log(`Stream URL: ${response.stream_url}`)
// Continue with other work while result is streamed asynchronously via SSE
