// What a program does with the package; `sdk` and `experiments` are the modules as they were loaded. Prints one line of JSON.
module.exports = async function smoke(sdk, experiments, url) {
  const { LLMEvalClient, LLMEvalError, LLMEvalStreamClient, TraceLogger } = sdk
  const trace = { modelName: 'gpt-4', userQuery: 'q', aiResponse: 'a' }
  const client = new LLMEvalClient(url, { webhookSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' })
  const one = await client.sendTrace({ traceId: 't1', ...trace })
  const many = await client.sendTracesBatch(
    Array.from({ length: 250 }, () => trace),
    'smoke',
  )

  const logger = new TraceLogger(client, 'gpt-4').start()
  const logged = await logger.logTrace('q', 'a', { tokensUsed: 1 })
  await logger[Symbol.asyncDispose]()

  const sender = client.buffered()
  for (let i = 0; i < 3; i++) sender.send(trace)
  const receipt = await sender.close()

  const streams = new LLMEvalStreamClient(url)
  const frame = await new Promise((resolve) => streams.streamEvents(resolve))
  streams.closeAllStreams()

  const { result } = await experiments.runEvaluator({
    evaluatorSlug: 'accuracy-evaluator',
    inputSchemaMapping: { question: 'q' },
    waitForResult: true,
    baseUrl: url,
  })

  const error = await new LLMEvalClient('http://127.0.0.1:1', { retries: 0 }).healthCheck().catch((thrown) => thrown)
  console.log(
    JSON.stringify({
      exports: Object.keys(sdk).sort(),
      traceIds: one.trace_ids,
      batch: many.message,
      logged: logged.success,
      receipt,
      frame: frame.event,
      error: error instanceof LLMEvalError ? error.code : String(error),
      experiments: Object.keys(experiments).sort(),
      result,
      sameError: experiments.LLMEvalError === LLMEvalError,
    }),
  )
}
