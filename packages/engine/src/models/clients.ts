import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { officialUrls, type Target } from './providers.ts'

/** What the vendors' packages have in common: one call to a model, without retries. */
export type ChatModel = ReturnType<ReturnType<typeof createOpenAICompatible>['chatModel']>
export type EmbeddingModel = ReturnType<ReturnType<typeof createOpenAICompatible>['embeddingModel']>

/** A server that needs no key is sent this one: the packages insist on some. */
const noKey = 'none'

/** The model behind a target, asked by way of `fetch`. */
export function chatModel(target: Target, fetch: typeof globalThis.fetch): Pick<ChatModel, 'doGenerate'> {
  const { provider, model, url } = target
  switch (provider.api) {
    case 'openai':
      return openAI(target, fetch).chatModel(model)
    case 'anthropic':
      return createAnthropic({ baseURL: url, apiKey: provider.api_key ?? noKey, fetch })(model)
    case 'gemini':
      return createGoogle({ baseURL: url, apiKey: provider.api_key ?? noKey, fetch })(model)
  }
}

/** The embedding model behind a target; undefined where the API has none. */
export function embeddingModel(
  target: Target,
  fetch: typeof globalThis.fetch,
): Pick<EmbeddingModel, 'doEmbed'> | undefined {
  const { provider, model, url } = target
  switch (provider.api) {
    case 'openai':
      return openAI(target, fetch).embeddingModel(model)
    case 'anthropic':
      return undefined
    case 'gemini':
      return createGoogle({ baseURL: url, apiKey: provider.api_key ?? noKey, fetch }).embeddingModel(model)
  }
}

function openAI({ name, provider, url }: Target, fetch: typeof globalThis.fetch) {
  return createOpenAICompatible({
    name,
    baseURL: url,
    fetch,
    supportsStructuredOutputs: true,
    ...(provider.api_key === null ? {} : { apiKey: provider.api_key }),
    // Its newer models know `max_tokens` no more; other servers know nothing else.
    transformRequestBody: ({ max_tokens, ...body }) =>
      url === officialUrls.openai ? { ...body, max_completion_tokens: max_tokens } : { ...body, max_tokens },
  })
}
