import * as z from 'zod'

const modelName = z.string().min(1).max(200)

const provider = z.strictObject({
  /** Which API it speaks. `openai` is that of every OpenAI-compatible server: Ollama, vLLM, LiteLLM, OpenRouter, … */
  api: z.enum(['openai', 'anthropic', 'gemini']),
  /** Where it is, up to and with the version: `http://localhost:11434/v1`. Null is the vendor's own address. */
  base_url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .nullable()
    .default(null),
  /** Null for servers that want none. */
  api_key: z.string().min(1).max(1_000).nullable().default(null),
  /** Its models, when only these may be asked; empty allows all. */
  models: z.array(modelName).max(1_000).default([]),
})

/** Providers of models by name, as the configuration has them. */
export const providersSchema = z.record(
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be a name of letters, digits, dots, _ and -'),
  provider,
)
export type ProviderConfig = z.output<typeof provider>
export type ProvidersConfig = z.output<typeof providersSchema>

const perMillion = z.number().min(0).max(1_000_000)

/** Prices of one's own, in US dollars for a million tokens, by `model`, `provider/model`, or either with `*` at its end. */
export const pricesSchema = z.record(
  modelName,
  z.strictObject({ input: perMillion, output: perMillion, cached_input: perMillion.exactOptional() }),
)

/** Where the vendors are. */
export const officialUrls: Record<ProviderConfig['api'], string> = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com/v1',
  gemini: 'https://generativelanguage.googleapis.com/v1beta',
}

/** What is asked where somebody gave a key and nothing else: cheap models that have been there for long. */
const usualModels: Record<ProviderConfig['api'], { chat: string; embedding: string | null }> = {
  openai: { chat: 'gpt-4.1-mini', embedding: 'text-embedding-3-small' },
  anthropic: { chat: 'claude-haiku-4-5', embedding: null },
  gemini: { chat: 'gemini-2.5-flash', embedding: 'gemini-embedding-001' },
}

/**
 * The providers that the usual variables name: OPENAI_API_KEY, OPENAI_BASE_URL, ANTHROPIC_API_KEY and GEMINI_API_KEY give
 * `openai`, `anthropic` and `gemini`.
 */
export function providersFromEnvironment(env: Readonly<Record<string, string | undefined>>): ProvidersConfig {
  const given = (name: string) => env[name]?.trim() || null
  const found: ProvidersConfig = {}
  const take = (api: ProviderConfig['api'], api_key: string | null, base_url: string | null) => {
    if (api_key !== null || base_url !== null) found[api] = provider.parse({ api, base_url, api_key })
  }
  take('openai', given('OPENAI_API_KEY'), given('OPENAI_BASE_URL'))
  take('anthropic', given('ANTHROPIC_API_KEY'), null)
  take('gemini', given('GEMINI_API_KEY'), null)
  return found
}

/** A model of a configured provider. */
export interface Target {
  name: string
  provider: ProviderConfig
  model: string
  /** With its address, without a slash at its end. */
  url: string
}

export interface Choices {
  providers: ProvidersConfig
  /** `provider/model`; null is the usual model of the first provider that has one. */
  defaultModel?: string | null | undefined
  embeddingModel?: string | null | undefined
}

/**
 * Which model a name means: `provider/model`; a bare name is a model of the provider that lists it, else of the default
 * model's. Undefined when no provider has it.
 */
export function findTarget(model: string | null, use: 'chat' | 'embedding', choices: Choices): Target | undefined {
  const { providers } = choices
  const configured = (use === 'chat' ? choices.defaultModel : choices.embeddingModel) ?? null
  const usual = () => usualTarget(use, providers)
  if (model === null) return configured === null ? usual() : findTarget(configured, use, { providers })
  const slash = model.indexOf('/')
  const named = slash > 0 ? targetOf(model.slice(0, slash), model.slice(slash + 1), providers) : undefined
  if (named) return named
  if (slash > 0 && Object.hasOwn(providers, model.slice(0, slash))) return undefined
  const lists = Object.keys(providers).find((name) => providers[name]?.models.includes(model))
  if (lists !== undefined) return targetOf(lists, model, providers)
  // `openai/gpt-4o` where there is no `openai` is a mistake, not a model of somebody else.
  if (slash > 0) return undefined
  const fallback = configured === null ? usual() : findTarget(configured, use, { providers })
  return fallback && targetOf(fallback.name, model, providers)
}

function usualTarget(use: 'chat' | 'embedding', providers: ProvidersConfig): Target | undefined {
  for (const [name, one] of Object.entries(providers)) {
    const listed = use === 'chat' ? one.models[0] : undefined
    const usual = one.base_url === null && one.models.length === 0 ? usualModels[one.api][use] : undefined
    const model = listed ?? usual
    if (model !== undefined && model !== null) return targetOf(name, model, providers)
  }
  return undefined
}

function targetOf(name: string, model: string, providers: ProvidersConfig): Target | undefined {
  const found = Object.hasOwn(providers, name) ? providers[name] : undefined
  if (!found || model === '' || (found.models.length > 0 && !found.models.includes(model))) return undefined
  return { name, provider: found, model, url: (found.base_url ?? officialUrls[found.api]).replace(/\/+$/, '') }
}
