import { Evaluator, runEvaluator } from 'llm-eval-sdk/experiments'

// What the mapping leads into: the names on its right are those of these fields.
const data = {
  user_query: 'What is the capital of France?',
  model_response: 'Paris',
  ground_truth: 'Paris',
}

// Execute evaluator and wait for result via SSE stream
let result = await Evaluator.run({
  evaluatorSlug: 'accuracy-evaluator',
  inputSchemaMapping: {
    question: 'user_query',
    answer: 'model_response',
    expected: 'ground_truth',
  },
  data,
  waitForResult: true,
  timeoutMs: 300_000,
})

console.log('Final result:', result)

// Or using the convenience function, here with values in the place of paths
result = await runEvaluator({
  evaluatorSlug: 'accuracy-evaluator',
  inputSchemaMapping: {
    question: 'What is the capital of France?',
    answer: 'Lyon',
    expected: 'Paris',
  },
  waitForResult: true,
})

console.log('Final result:', result)
