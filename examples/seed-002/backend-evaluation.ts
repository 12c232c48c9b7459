import { Evaluator, type TaskContext } from 'llm-eval-sdk/evaluation'

// What is evaluated; a real one would ask a model, and hand it the signal.
async function myLlmTask(input: unknown, { signal }: TaskContext) {
  signal.throwIfAborted()
  return { output: `The answer to ${String(input)}`, tokens: 12, cost: 0.0004 }
}

// eval-YYYYMMDD-HHMMSS
const [day = '', time = ''] = new Date().toISOString().replaceAll(/[-:]|\..*/g, '').split('T')

// Start evaluation with live updates
const evaluator = new Evaluator({
  task: myLlmTask,
  dataset: 'evaluation-set',
  metrics: ['accuracy', 'response_time'],
  runId: `eval-${day}-${time}`,
  onProgress: ({ completed_items: done, success_rate: rate }) => console.log(`${done} done, success rate ${rate}`),
})

// Whoever watches receives updates
const result = await evaluator.arun()
console.log(`${result.runId}: $${result.cost.toFixed(4)}`)
