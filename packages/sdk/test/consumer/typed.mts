import {
  type AnyTrace,
  type BufferedSender,
  LLMEvalClient,
  LLMEvalError,
  LLMEvalStreamClient,
  type Receipt,
  type StreamFrame,
  TraceLogger,
} from 'llm-eval-sdk'
import { agentResponse, agentStream, type NodeResponse, refine, type RefineStop } from 'llm-eval-sdk/agent'
import {
  defineEvaluation,
  type EvaluationResult,
  Evaluator as TaskEvaluator,
  type MetricInput,
} from 'llm-eval-sdk/evaluation'
import {
  Evaluator,
  Experiment,
  type EvaluatorResult,
  ResultHandler,
  runEvaluator,
  SSEResultClient,
} from 'llm-eval-sdk/experiments'
import { type GeneratedEval, generateEval, joinLogs, logLines, parseBridgeLog, parseEngineLog } from 'llm-eval-sdk/logs'
import { type AttachableAgent, ConversationRecorder, type EvalFile, type RecorderReceipt } from 'llm-eval-sdk/recorder'

const client = new LLMEvalClient('http://localhost:8000', { apiKey: 'k', timeoutMs: 1_000, webhookSecret: 's' })
const trace: AnyTrace = { modelName: 'm', userQuery: 'q', aiResponse: 'a', userId: undefined }

export async function use(): Promise<Receipt> {
  const answer = await client.sendTrace(trace)
  const ids: string[] = answer.trace_ids
  await client.sendTracesBatch([trace, { model_name: 'm', user_query: 'q', ai_response: 'a' }], 'source')
  await client.evaluateTrace(ids[0] ?? '', 'rejected', 'hallucinated', 'note')
  await client.evaluateTrace('t', 'accepted', { reviewer: 'ada', expectedVersion: 1 })
  for await (const one of client.allTraces({ minLatency: 5 })) console.log(one.cost?.toFixed(2))

  const logger = new TraceLogger(client, 'm', { metadata: { a: 1 } }).start().addMetadata('b', 2)
  const length: number = await logger.run(
    'q',
    () => Promise.resolve(5),
    (count) => `${count}`,
  )
  await logger.logTrace('q', `${length}`, { tokensUsed: 3 })

  const streams = new LLMEvalStreamClient('http://localhost:8000', {
    onStatus: (phase) => console.log(phase === 'live'),
  })
  streams.onError = (error) => console.log(error instanceof LLMEvalError && error.retryAfter)
  const show = (frame: StreamFrame, cursor: string | undefined) => {
    if (frame.event === 'metrics_update') console.log(frame.data.acceptance_rate, cursor)
  }
  const stop: () => void = streams.streamMetrics(show, 5)
  stop()
  for await (const frame of streams.follow({ stream: 'traces', limit: 5 })) show(frame, undefined)

  const sender: BufferedSender = client.buffered({ onDrop: ({ reason }) => console.log(reason === 'full') })
  sender.send(trace)
  return await sender.close()
}

export async function evaluate(): Promise<EvaluatorResult> {
  const { score } = await client.execute(
    'exact-match',
    { response: 'a', reference: 'a' },
    { config: { ignore_case: true } },
  )
  const rows = await client.datasets.rows('questions', { limit: 10 })
  console.log(score?.passed, rows.items[0]?.values)

  const callback = ResultHandler.createCallback({ onComplete: ({ score }) => console.log(score?.value?.toFixed(2)) })
  const started = await runEvaluator({ evaluatorSlug: 'e', inputSchemaMapping: { text: 't' }, callback })
  const waiting = new SSEResultClient({ apiKey: 'k', transport: 'websocket', WebSocket })
  await waiting.waitForResult(started.execution_id, started.stream_url, { timeoutMs: 5_000 })
  const experiment = new Experiment({ evaluators: ['e', { slug: 'f', inputSchemaMapping: { question: 'q' } }] })
  for (const one of await experiment.run([{ q: 'a' }])) console.log(one.case_index, one.error_code)
  return await Evaluator.run({
    evaluatorSlug: 'e',
    data: { q: 1 },
    inputSchemaMapping: { text: 'q' },
    waitForResult: true,
  })
}

export async function evaluateTask(): Promise<EvaluationResult> {
  const short = ({ output }: MetricInput) => ({ score: String(output).length < 100 })
  return await new TaskEvaluator({
    task: async (input, { signal, case: { id } }) => ({ output: `${String(input)} ${id} ${signal.aborted}`, cost: 0 }),
    dataset: [{ input: 'q', expected: 'a' }],
    metrics: ['accuracy', short, { name: 'latency', evaluator: 'latency', config: { max_ms: 10 } }],
    onProgress: ({ completed_items: done }) => console.log(done),
  }).arun()
}

export async function serveAgent(response: NodeResponse): Promise<RefineStop> {
  const stream = agentStream(response)
  const doubled: number = await stream.tool('double', { n: 2 }, (signal) => (signal.aborted ? 0 : 4))
  await stream.usage({ input_tokens: 10, output_tokens: 5, cached_tokens: 2, model: 'm', cost: 0.01 })
  const { result, stopped } = await refine({
    start: async () => ({ text: `${doubled}`, quality: 0.1 }),
    improve: async (best, { iteration }) => ({ ...best, quality: best.quality + iteration }),
    isBetter: (candidate, best) => candidate.quality > best.quality,
    shouldStop: ({ quality }) => quality > 0.9,
    onStatus: (text) => stream.status(text),
    signal: stream.signal,
  })
  await stream.complete(result.text, { session_id: 's' })
  await stream.close()
  return stopped
}

export async function record(agent: AttachableAgent): Promise<[EvalFile, RecorderReceipt | null]> {
  const recorder = new ConversationRecorder({ threadId: 't', server: { url: 'http://localhost:8000', apiKey: 'k' } })
  const detach: () => void = recorder.attach(agent)
  recorder.recordUserMessage('q')
  recorder.recordToolCall('f', { n: 1 }, 'c')
  recorder.recordToolCall('f', { n: 1 }, { id: 'c', author: 'a', thoughtSignature: 'AA==' })
  recorder.recordToolResult('c', { result: 2 })
  recorder.recordThinking(3)
  recorder.recordThinking({ tokens: 3, text: 'Hm.' })
  recorder.recordAssistantMessage('a', { tokens: { output: 1 } })
  for (const { kind, payload } of recorder.events) if (kind === 'tool_call') console.log(payload.args)
  console.log(recorder.exportToEvalFormat()['eval_id'], recorder.exportToEvalFormat({ format: 'evalset' }))
  detach()
  return [recorder.toFile({ format: 'legacy', turns: [0] }), await recorder.close({ timeoutMs: 5 })]
}

export async function ofLogs(bytes: AsyncIterable<Uint8Array>): Promise<GeneratedEval | null> {
  const [bridge, engine] = [
    [await parseBridgeLog(logLines(bytes))],
    [await parseEngineLog(['{}'], { file: 'raw.log' })],
  ]
  for (const { thread_id, events } of joinLogs(bridge, engine).threads) console.log(thread_id, events[0]?.kind)
  for (const { line, code } of engine[0]?.warnings ?? []) console.log(line, code)
  return generateEval('t', { bridge, engine }, { format: 'evalcase', appName: 'a' })
}

export const POST = (): Response => agentResponse(async (stream) => stream.narrate('Thinking', 'think'))

export default defineEvaluation({
  name: 'typed',
  dataset: './cases.jsonl',
  task: (input: string, { signal }) => ({ output: input.trim(), cost: signal.aborted ? null : 0 }),
  metrics: ['exact-match'],
  gate: { min: { 'exact-match': 0.9 } },
})
