import { Evaluator } from 'llm-eval-sdk/evaluation'

// What is evaluated; a real one would ask a model.
const myTask = (input: unknown) => String(input).toUpperCase()

// Create evaluator with live updates for everybody who watches the run
const evaluator = new Evaluator({
  task: myTask,
  dataset: 'my-dataset',
  metrics: ['accuracy', 'latency'],
  runId: 'my-run-id', // The same id again goes on with the run
})

// Run evaluation - progress automatically emitted
const result = await evaluator.arun()

console.log(`${result.status}: ${result.successfulItems} of ${result.totalItems} items`)
console.log(`Accuracy: ${result.metrics['accuracy']?.mean}`)
console.log(`Watch it at ${result.runUrl}`)
