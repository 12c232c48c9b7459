// What most suites do without. Loaded when it is needed, and by names: a bundle is to hold no more of the engine for it.
import {
  createAddressCheck,
  createFromDefinition,
  createJudges,
  createModels,
  type EngineOptions,
  guardedFetch,
  type ProvidersConfig,
} from '@llm-eval/engine'

/** What an engine needs to ask models for their judgement. */
export function judgesWith(providers: ProvidersConfig): EngineOptions {
  const models = createModels({ providers })
  const secret = crypto.randomUUID()
  return {
    models,
    evaluators: createJudges({ models, secret }),
    fromDefinition: createFromDefinition({ models, secret, allows: createAddressCheck([]) }),
  }
}

/** Reaches nothing that has a private address. */
export function publicFetch(): typeof globalThis.fetch {
  return guardedFetch({ allows: createAddressCheck([]) })
}
