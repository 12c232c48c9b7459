import { ResultHandler, runEvaluatorAsync, SSEResultClient } from 'llm-eval-sdk/experiments'

const told = Promise.withResolvers<void>()
const callback = ResultHandler.createCallback({
  onComplete: ({ score }) => {
    console.log('Complete:', score?.value)
    told.resolve()
  },
  onFailed: ({ error }) => {
    console.log('Failed:', error)
    told.resolve()
  },
})

// Start now, and listen where and when you like: the result waits for you.
const { execution_id: executionId, stream_url: streamUrl } = await runEvaluatorAsync({
  evaluatorSlug: 'accuracy-evaluator',
  inputSchemaMapping: { answer: '4', expected: '4' },
})
const client = new SSEResultClient()
client.startAsyncStream(executionId, streamUrl, { callback, timeoutMs: 120_000 })
console.log('Listening:', client.activeStreams.includes(executionId))

const result = await client.waitForResult(executionId, streamUrl)
console.log('Result:', result.result)
// Whoever stops listening sooner may never be told: both listen for themselves.
await told.promise
client.stopStream(executionId)
