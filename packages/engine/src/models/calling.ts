import type { EvaluationUsage } from '@llm-eval/protocol'
import * as z from 'zod'
import { NoScore } from '../evaluator.ts'
import { type ChatModel, chatModel } from './clients.ts'
import { mayBePaid } from './faults.ts'
import type { Means, Used } from './means.ts'
import type { Message } from './models.ts'
import type { Target } from './providers.ts'
import { type Patience, retrying } from './retry.ts'
import { unknownUsage } from './usage.ts'

export type ChatOptions = Parameters<ChatModel['doGenerate']>[0]
type Result = Awaited<ReturnType<ChatModel['doGenerate']>>

/** Gemini's package does not tell which model answered; the answer itself does. */
const geminiBody = z.object({ modelVersion: z.string() })

/** Who is asked, how patiently, and what all calls of one question consumed so far. */
export interface Calling {
  target: Target
  patience: Patience
  usages: EvaluationUsage[]
}

/** What a model said. */
export interface Said {
  text: string
  /** Its tokens were used up before it was through. */
  cut: boolean
}

/** Makes what calls a chat model, again after what passes by itself. */
export function createCall(means: Means): (calling: Calling, options: ChatOptions) => Promise<Said> {
  return async ({ target, patience, usages }, options) => {
    const asked = `${target.name}/${target.model}`
    const result = await retrying({ asked, key: target.provider.api_key }, patience, async (signal) => {
      try {
        return await chatModel(target, means.fetch).doGenerate({ ...options, abortSignal: signal })
      } catch (error) {
        if (mayBePaid(error)) usages.push(unknownUsage)
        throw error
      }
    })
    usages.push(usageOf(result, target, means))
    const text = result.content.map((part) => (part.type === 'text' ? part.text : '')).join('')
    if (result.finishReason.unified === 'content-filter')
      throw new NoScore(
        'provider_refused',
        `${asked} refused to answer.${text ? ` It said: ${text.slice(0, 500)}` : ''}`,
      )
    return { text, cut: result.finishReason.unified === 'length' }
  }
}

/** Messages as the vendors' packages take them: what is said by the system comes first, and is one. */
export function promptOf(messages: readonly Message[]): ChatOptions['prompt'] {
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => content)
  const rest = messages.filter(({ role }) => role !== 'system')
  return [
    ...(system.length > 0 ? [{ role: 'system' as const, content: system.join('\n\n') }] : []),
    ...rest.map(({ role, content }) => saying(role === 'assistant' ? 'assistant' : 'user', content)),
  ]
}

/** One message of the user, or of the model. */
export function saying(role: 'user' | 'assistant', text: string): ChatOptions['prompt'][number] {
  return { role, content: [{ type: 'text', text }] }
}

function usageOf({ usage, response }: Result, target: Target, means: Means): EvaluationUsage {
  const gemini = geminiBody.safeParse(response?.body)
  const told = response?.modelId ?? (gemini.success ? gemini.data.modelVersion : null)
  const used: Used = {
    input: usage.inputTokens.total ?? null,
    output: usage.outputTokens.total ?? null,
    cached: usage.inputTokens.cacheRead ?? null,
  }
  return {
    model: told ?? target.model,
    input_tokens: used.input,
    output_tokens: used.output,
    cost: means.cost(target, told, used),
    cached: false,
  }
}
