import { Evaluator, runEvaluatorAsync } from 'llm-eval-sdk/experiments'

const inputSchemaMapping = { question: 'What is 2+2?', answer: '4', expected: '4' }

async function main(): Promise<void> {
  // Direct async evaluator execution
  let response = await Evaluator.runAsync({
    evaluatorSlug: 'accuracy-evaluator',
    inputSchemaMapping,
    callback: (result) => console.log('Result:', result),
    timeoutMs: 120_000,
  })
  console.log(`Execution started: ${response.execution_id}`)

  // Or using the convenience function: nobody waits, the server keeps the result
  response = await runEvaluatorAsync({ evaluatorSlug: 'accuracy-evaluator', inputSchemaMapping })
  console.log(`Execution started: ${response.execution_id}`)
}

await main()
