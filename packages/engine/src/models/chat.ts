import { NoScore } from '../evaluator.ts'
import { type Calling, type ChatOptions, createCall, promptOf, type Said, saying } from './calling.ts'
import type { Kept, Means } from './means.ts'
import type { Question } from './models.ts'
import { withUsage } from './paid.ts'
import type { Target } from './providers.ts'
import { CallFailed } from './retry.ts'
import { createShapes, type Shape } from './shape.ts'
import { summed } from './usage.ts'

/** Said when nothing is: models that think first need some, and nobody pays for what is not used. */
const usualMaxTokens = 4_096
/** Characters of a failed answer that the model is shown again. */
const shownChars = 8_000
/** Models that are remembered to know no shapes. */
const mostShapeless = 1_000

interface Asking extends Calling {
  question: Question
  shape: Shape
}

/** Asks chat models for answers in a shape, and once more where what came does not fit it. */
export function createChat(means: Means): (target: Target, question: Question) => Promise<Kept> {
  const call = createCall(means)
  const shapes = createShapes()
  /** Models whose server refused to be given a shape; they are told of it in words. */
  const shapeless = new Set<string>()

  async function ask(asking: Asking, prompt: ChatOptions['prompt'], maxTokens: number): Promise<Said> {
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
    const prompt = promptOf(question.messages)
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

function optionsOf(question: Question, shape: Shape, maxTokens: number): Omit<ChatOptions, 'prompt'> {
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

function repairing(prompt: ChatOptions['prompt'], { text, cut }: Said, wish: string): ChatOptions['prompt'] {
  // An answer that was cut off is not worth reading again, and an empty one must not be sent.
  const shown = cut ? '' : text.slice(0, shownChars).trim()
  return [...prompt, ...(shown === '' ? [] : [saying('assistant', shown)]), saying('user', wish)]
}

function inWords({ schema }: Shape, wrong?: string): string {
  const complaint = wrong === undefined ? '' : `Your answer cannot be used: ${wrong}. `
  return `${complaint}Answer with nothing but one JSON object that fits this JSON Schema, as briefly as it allows:\n${JSON.stringify(schema)}`
}
