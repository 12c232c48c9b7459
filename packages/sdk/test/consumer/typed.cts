import sdk = require('llm-eval-sdk')
import agent = require('llm-eval-sdk/agent')
import evaluation = require('llm-eval-sdk/evaluation')
import experiments = require('llm-eval-sdk/experiments')
import logs = require('llm-eval-sdk/logs')
import recorder = require('llm-eval-sdk/recorder')

const client = new sdk.LLMEvalClient()

export async function use(): Promise<boolean> {
  const answer: sdk.WebhookAnswer = await client.sendTrace({ modelName: 'm', userQuery: 'q', aiResponse: 'a' })
  const trace: sdk.TraceDetail = await client.getTrace('t')
  return answer.success && trace.tokens_used === null
}

export async function evaluate(): Promise<unknown> {
  const started = await experiments.Evaluator.run({ evaluatorSlug: 'e', inputSchemaMapping: { text: 't' } })
  const list: sdk.Execution[] = await client.runEvaluators('t', ['e'])
  return [started.execution_id, list[0]?.score?.value]
}

export const evaluator = new evaluation.Evaluator({ task: (input) => input, dataset: ['a'], metrics: ['exact_match'] })

export const answer: Response = agent.agentResponse(async (stream: agent.AgentStream) => {
  await stream.usage({ input_tokens: 1, output_tokens: 2 })
  return 'done'
})

export function record(agent: recorder.AttachableAgent): recorder.EvalFile {
  const recording = new recorder.ConversationRecorder({ threadId: 't' })
  recording.attach(agent)
  return recording.toFile()
}

export const generated: logs.GeneratedEval | null = logs.generateEval('t', {})
