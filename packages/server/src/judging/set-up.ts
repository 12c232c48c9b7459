import { randomBytes } from 'node:crypto'
import {
  createAddressCheck,
  createEngine,
  createFromDefinition,
  createJudges,
  createModels,
  type Engine,
  loadEvaluators,
} from '@llm-eval/engine'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/sources.ts'

/** Every network: for a server that trusts whoever defines its evaluators. */
const everywhere = ['0.0.0.0/0', '::/0']

/**
 * The engine of a server: what is built in, its judges with their providers, and the evaluators of its modules.
 *
 * @throws {ConfigError} when a module cannot be used, or two evaluators claim a name
 */
export async function createServerEngine(config: Config): Promise<Engine> {
  const { providers, default_model: defaultModel, embedding_model: embeddingModel, prices } = config
  const hasProviders = Object.keys(providers).length > 0
  const models = hasProviders ? createModels({ providers, defaultModel, embeddingModel, prices }) : undefined
  const secret = randomBytes(16).toString('hex')
  const allows = createAddressCheck(config.allow_private_evaluators ? everywhere : [])
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
