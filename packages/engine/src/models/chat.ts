import type { EvaluationUsage } from '@llm-eval/protocol'
import * as z from 'zod'
import { NoScore } from '../evaluator.ts'
import { type ChatModel, chatModel } from './clients.ts'
import type { Kept, Means, Used } from './means.ts'
import type { Question } from './models.ts'
import type { Target } from './providers.ts'
import { CallFailed, type Patience, retrying } from './retry.ts'
import { createShapes, type Shape } from './shape.ts'
import { mayBePaid } from './faults.ts'
import { withUsage } from './paid.ts'
import { summed, unknownUsage } from './usage.ts'

type Options = Parameters<ChatModel['doGenerate']>[0]
type Result = Awaited<ReturnType<ChatModel['doGenerate']>>

/** Gemini's package does not tell which model answered; the answer itself does. */
const geminiBody = z.object({ modelVersion: z.string() })
/** Said when nothing is: models that think first need some, and nobody pays for what is not used. */
const usualMaxTokens = 4_096
/** Characters of a failed answer that the model is shown again. */
const shownChars = 8_000
/** Models that are remembered to know no shapes. */
const mostShapeless = 1_000

interface Asking {
  target: Target
  question: Question
  shape: Shape
  patience: Patience
  usages: EvaluationUsage[]
}

interface Said {
  text: string
  cut: boolean
}

/** Asks chat models for answers in a shape, and once more where what came does not fit it. */
export function createChat(means: Means): (target: Target, question: Question) => Promise<Kept> {
  const shapes = createShapes()
  /** Models whose server refused to be given a shape; they are told of it in words. */
  const shapeless = new Set<string>()

  async function call(asking: Asking, options: Options): Promise<Said> {
    const { target, patience, usages } = asking
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

  async function ask(asking: Asking, prompt: Options['prompt'], maxTokens: number): Promise<Said> {
    const { target, question, shape } = asking
    const name = `${target.url} ${target.model}`
    if (!shapeless.has(name)) {
      try {
        return await call(asking, { ...optionsOf(question, shape, maxTokens), prompt })
      } catch (error) {
        if (!(error instanceof CallFailed) || !error.fault.shape) throw error
        if (shapeless.size >= mostShapeless) shapeless.clear()
        shapeless.add(name)
      }
    }
    const { responseFormat: _none, ...options } = optionsOf(question, shape, maxTokens)
    return call(asking, { ...options, prompt: [...prompt, saying('user', inWords(shape))] })
  }

  return async (target, question) => {
    const shape = shapes(question.answer)
    const asking: Asking = { target, question, shape, patience: means.patience(question.signal), usages: [] }
    const maxTokens = question.maxTokens ?? usualMaxTokens
    const prompt = promptOf(question)
    try {
      const first = await ask(asking, prompt, maxTokens)
      const read = shape.read(first.text)
      if ('value' in read) return keep(read.value, asking)
      const wrong = first.cut ? 'it was cut off' : read.wrong
      const second = await ask(asking, repairing(prompt, first, inWords(shape, wrong)), maxTokens * (first.cut ? 2 : 1))
      const reread = shape.read(second.text)
      if ('value' in reread) return keep(reread.value, asking)
      throw new NoScore(
        'unparsable_answer',
        `${target.name}/${target.model} did not answer in the shape that was asked for, twice: ${
          second.cut ? 'it was cut off' : reread.wrong
        }. It said: ${second.text.slice(0, 500)}`,
      )
    } catch (error) {
      throw withUsage(error, asking.usages)
    }
  }
}

function keep(value: Record<string, unknown>, { usages }: Asking): Kept {
  const usage = summed(usages)
  if (!usage) throw new Error('an answer came of no call')
  return { text: JSON.stringify(value), usage }
}

function optionsOf(question: Question, shape: Shape, maxTokens: number): Omit<Options, 'prompt'> {
  const { temperature, topP, frequencyPenalty, presencePenalty } = question
  return {
    maxOutputTokens: maxTokens,
    responseFormat: { type: 'json', schema: shape.schema, name: question.shape },
    providerOptions: { openaiCompatible: { strictJsonSchema: shape.strict } },
    ...(temperature == null ? {} : { temperature }),
    ...(topP == null ? {} : { topP }),
    ...(frequencyPenalty == null ? {} : { frequencyPenalty }),
    ...(presencePenalty == null ? {} : { presencePenalty }),
  }
}

function promptOf({ messages }: Question): Options['prompt'] {
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => content)
  const rest = messages.filter(({ role }) => role !== 'system')
  return [
    ...(system.length > 0 ? [{ role: 'system' as const, content: system.join('\n\n') }] : []),
    ...rest.map(({ role, content }) => saying(role === 'assistant' ? 'assistant' : 'user', content)),
  ]
}

function saying(role: 'user' | 'assistant', text: string): Options['prompt'][number] {
  return { role, content: [{ type: 'text', text }] }
}

function repairing(prompt: Options['prompt'], { text, cut }: Said, wish: string): Options['prompt'] {
  // An answer that was cut off is not worth reading again, and an empty one must not be sent.
  const shown = cut ? '' : text.slice(0, shownChars).trim()
  return [...prompt, ...(shown === '' ? [] : [saying('assistant', shown)]), saying('user', wish)]
}

function inWords({ schema }: Shape, wrong?: string): string {
  const complaint = wrong === undefined ? '' : `Your answer cannot be used: ${wrong}. `
  return `${complaint}Answer with nothing but one JSON object that fits this JSON Schema, as briefly as it allows:\n${JSON.stringify(schema)}`
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
