// The three APIs as their documentation has them, as far as judges use them.
import type { IncomingHttpHeaders } from 'node:http'
import * as z from 'zod'
import type { Asked, Reply } from './provider.ts'

const record = z.record(z.string(), z.unknown())
const chatBody = z.looseObject({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.unknown() })),
  system: z.unknown().optional(),
  response_format: z
    .object({ json_schema: z.object({ schema: record }) })
    .optional()
    .catch(undefined),
  output_config: z
    .object({ format: z.object({ schema: record }) })
    .optional()
    .catch(undefined),
  tools: z
    .array(z.looseObject({ input_schema: record }))
    .optional()
    .catch(undefined),
})
const geminiBody = z.looseObject({
  contents: z.array(z.unknown()),
  systemInstruction: z.unknown().optional(),
  generationConfig: z.looseObject({ responseJsonSchema: record.optional() }).optional(),
})
const embeddingRequest = z.looseObject({ model: z.string(), input: z.array(z.string()) })
const part = z.object({ content: z.object({ parts: z.array(z.object({ text: z.string() })) }) })
const geminiEmbedding = z.union([
  z.looseObject({ requests: z.array(part) }).transform(({ requests }) => requests),
  part.transform((one) => [one]),
])

/** Reads a request of any of the three. */
export function readAsked(path: string, headers: IncomingHttpHeaders, text: string): Asked {
  const body = record.parse(JSON.parse(text))
  const shared = { headers, path, body, texts: [], prompt: '', schema: null }
  const gemini = /\/models\/([^/:]+):(\w+)/.exec(path)
  if (gemini) {
    const [, model = '', method = ''] = gemini
    if (/embed/i.test(method)) {
      const texts = geminiEmbedding.parse(body).map((one) => one.content.parts.map((inner) => inner.text).join(''))
      return { ...shared, api: 'gemini', use: 'embedding', model, texts }
    }
    const { contents, systemInstruction, generationConfig } = geminiBody.parse(body)
    const schema = generationConfig?.responseJsonSchema ?? null
    return { ...shared, api: 'gemini', use: 'chat', model, prompt: words([systemInstruction, contents]), schema }
  }
  if (path.includes('/embeddings')) {
    const { model, input } = embeddingRequest.parse(body)
    return { ...shared, api: 'openai', use: 'embedding', model, texts: input }
  }
  const chat = chatBody.parse(body)
  const schema =
    chat.response_format?.json_schema.schema ?? chat.output_config?.format.schema ?? chat.tools?.[0]?.input_schema
  return {
    ...shared,
    api: path.includes('/messages') ? 'anthropic' : 'openai',
    use: 'chat',
    model: chat.model,
    prompt: words([chat.system, chat.messages]),
    schema: schema ?? null,
  }
}

/** Every text inside, in order. */
function words(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(words).filter(Boolean).join('\n')
  if (typeof value !== 'object' || value === null) return ''
  return Object.entries(value)
    .filter(([name]) => ['text', 'content', 'parts'].includes(name))
    .map(([, inner]) => words(inner))
    .join('\n')
}

/** The answer of a chat model, in the words of the API that asked. */
export function modelBody(asked: Asked, reply: Extract<Reply, { does: 'answer' }>): unknown {
  const { text, finish, model = asked.model, usage = { input: 100, output: 20 } } = reply
  const cached = usage?.cached ?? 0
  const refused = finish === 'refusal'
  if (asked.api === 'openai')
    return {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_700_000_000,
      model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: refused ? null : text, ...(refused ? { refusal: text } : {}) },
          finish_reason: finish === 'length' ? 'length' : 'stop',
        },
      ],
      ...(usage && {
        usage: {
          prompt_tokens: usage.input,
          completion_tokens: usage.output,
          total_tokens: usage.input + usage.output,
          prompt_tokens_details: { cached_tokens: cached },
        },
      }),
    }
  if (asked.api === 'anthropic') return anthropicBody(asked, reply)
  return {
    candidates: [
      {
        content: { role: 'model', parts: refused ? [] : [{ text }] },
        finishReason: refused ? 'SAFETY' : finish === 'length' ? 'MAX_TOKENS' : 'STOP',
        index: 0,
      },
    ],
    ...(usage && {
      usageMetadata: {
        promptTokenCount: usage.input,
        candidatesTokenCount: usage.output,
        totalTokenCount: usage.input + usage.output,
        cachedContentTokenCount: cached,
      },
    }),
    modelVersion: model,
    responseId: 'response-1',
  }
}

function anthropicBody(asked: Asked, reply: Extract<Reply, { does: 'answer' }>): unknown {
  const { text, finish, model = asked.model, usage = { input: 100, output: 20 } } = reply
  const cached = usage?.cached ?? 0
  const input = finish === 'stop' && 'tools' in asked.body ? parsed(text) : undefined
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content: input ? [{ type: 'tool_use', id: 'toolu_1', name: 'json', input }] : [{ type: 'text', text }],
    stop_reason:
      finish === 'length' ? 'max_tokens' : finish === 'refusal' ? 'refusal' : input ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    // This API always tells, and tells the cached ones apart.
    usage: {
      input_tokens: (usage?.input ?? 0) - cached,
      cache_read_input_tokens: cached,
      cache_creation_input_tokens: 0,
      output_tokens: usage?.output ?? 0,
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The answer of an embedding model. */
export function embeddingBody(asked: Asked, reply: Extract<Reply, { does: 'embed' }>): unknown {
  const { vectors = asked.texts.map(vectorOf), usage = { input: 10, output: 0 } } = reply
  if (asked.api === 'gemini')
    return /:embedContent/.test(asked.path)
      ? { embedding: { values: vectors[0] } }
      : { embeddings: vectors.map((values) => ({ values })) }
  return {
    object: 'list',
    model: asked.model,
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    ...(usage && { usage: { prompt_tokens: usage.input, total_tokens: usage.input } }),
  }
}

/** Counts of pairs of letters, hashed into 64 places: a poor model, but the same one every time. */
function vectorOf(text: string): number[] {
  const vector = Array.from({ length: 64 }, () => 0)
  const lower = ` ${text.toLowerCase()} `
  for (let i = 0; i + 1 < lower.length; i++) {
    const place = (lower.charCodeAt(i) * 31 + lower.charCodeAt(i + 1)) % vector.length
    vector[place] = (vector[place] ?? 0) + 1
  }
  return vector
}

/** All three tell errors in a member `error` with a `message`. */
export function errorBody(status: number, message: string): string {
  return JSON.stringify({ type: 'error', error: { type: 'scripted', code: status, status: 'SCRIPTED', message } })
}
