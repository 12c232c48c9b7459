import sdk = require('llm-eval-sdk')

const client = new sdk.LLMEvalClient()

export async function use(): Promise<boolean> {
  const answer: sdk.WebhookAnswer = await client.sendTrace({ modelName: 'm', userQuery: 'q', aiResponse: 'a' })
  const trace: sdk.TraceDetail = await client.getTrace('t')
  return answer.success && trace.tokens_used === null
}
