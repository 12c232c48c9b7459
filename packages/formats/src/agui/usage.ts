import { sumKnown, tokensOf } from '@llm-eval/protocol'
import type { AdkEvent, AdkUsage } from '../adk/index.ts'
import type { AguiUsage } from './events.ts'

const fields = ['inputTokens', 'outputTokens', 'totalTokens', 'reasoningTokens', 'cachedInputTokens'] as const

/** Adds up what models used. */
export class UsageSum {
  readonly #byModel = new Map<string, AguiUsage>()

  add({ usageMetadata, modelVersion }: AdkEvent): void {
    if (usageMetadata === undefined) return
    const told = usageOf(usageMetadata)
    if (fields.every((field) => told[field] === undefined)) return
    const sum = this.#byModel.get(modelVersion ?? '') ?? (modelVersion === undefined ? {} : { model: modelVersion })
    for (const field of fields) {
      const more = told[field]
      if (typeof more === 'number') sum[field] = (sum[field] ?? 0) + more
    }
    this.#byModel.set(modelVersion ?? '', sum)
  }

  /** One entry for each model; empty where nothing was told. */
  total(): AguiUsage[] {
    return [...this.#byModel.values()]
  }
}

/** Tokens of an event in AG-UI's words: results of tools count as input, thoughts as output. */
function usageOf(usage: AdkUsage): AguiUsage {
  const { input, output, thoughts, cached, total } = tokensOf(usage)
  return {
    ...told('inputTokens', input),
    ...told('outputTokens', output),
    ...told('totalTokens', total),
    ...told('reasoningTokens', thoughts),
    ...told('cachedInputTokens', cached),
  }
}

function told(field: (typeof fields)[number], value: number | null): AguiUsage {
  return value === null ? {} : { [field]: value }
}

/** What AG-UI tells of tokens, in ADK's words; of several models only the sum. */
export function foreignUsage(usages: readonly AguiUsage[]): { usage?: Record<string, unknown>; modelVersion?: string } {
  const of = (field: (typeof fields)[number]) => sumKnown(usages.map((usage) => usage[field]))
  const thoughts = of('reasoningTokens')
  const output = of('outputTokens')
  const usage = {
    ...named('promptTokenCount', of('inputTokens')),
    ...named('candidatesTokenCount', output === null ? null : Math.max(0, output - (thoughts ?? 0))),
    ...named('thoughtsTokenCount', thoughts),
    ...named('cachedContentTokenCount', of('cachedInputTokens')),
    ...named('totalTokenCount', of('totalTokens')),
  }
  const [first] = usages
  const model = usages.length === 1 && typeof first?.model === 'string' ? { modelVersion: first.model } : {}
  return Object.keys(usage).length === 0 ? model : { usage, ...model }
}

function named(name: keyof AdkUsage & string, value: number | null): Record<string, unknown> {
  return value === null ? {} : { [name]: value }
}
