import { randomBytes } from 'node:crypto'
import {
  type AddressCheck,
  createAddressCheck,
  createEngine,
  createFromDefinition,
  createJudges,
  createModels,
  type Engine,
  loadEvaluators,
  type Models,
} from '@llm-eval/engine'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/sources.ts'

/** Every network: for a server that trusts whoever defines its evaluators. */
const everywhere = ['0.0.0.0/0', '::/0']

/** The models of the configured providers; undefined where there is none. */
export function createServerModels(config: Config): Models | undefined {
  const { providers, default_model: defaultModel, embedding_model: embeddingModel, prices } = config
  if (Object.keys(providers).length === 0) return undefined
  return createModels({ providers, defaultModel, embeddingModel, prices })
}

/** Which addresses may be asked that projects name. */
export function addressCheckOf(config: Config): AddressCheck {
  return createAddressCheck(config.allow_private_evaluators ? everywhere : [])
}

/**
 * The engine of a server: what is built in, its judges with their providers, and the evaluators of its modules.
 *
 * @throws {ConfigError} when a module cannot be used, or two evaluators claim a name
 */
export async function createServerEngine(config: Config, models = createServerModels(config)): Promise<Engine> {
  const secret = randomBytes(16).toString('hex')
  const allows = addressCheckOf(config)
  const own = await loadEvaluators(config.evaluators).catch(asConfigError)
  try {
    const engine = createEngine({
      models,
      evaluators: [...createJudges({ models, secret }), ...own.evaluators],
      fromDefinition: createFromDefinition({ models, secret, allows }),
    })
    const close = async () => void (await Promise.all([engine.close(), own.close()]))
    return { ...engine, close }
  } catch (error) {
    await own.close()
    return asConfigError(error)
  }
}

function asConfigError(error: unknown): never {
  throw new ConfigError([error instanceof Error ? error.message : String(error)])
}
