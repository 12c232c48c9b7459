export { createEngine, type EngineOptions, type FromDefinition } from './create-engine.ts'
export { type LoadedEvaluators, loadEvaluators } from './custom/module.ts'
export { type CustomFunction, customEvaluator, type CustomOptions } from './custom/custom.ts'
export { type Definition, definitionSchema, type JudgeDefinition, type RemoteDefinition } from './definition.ts'
export type { Engine, EvaluateOptions, Evaluation } from './engine.ts'
export { type Evaluator, evaluator, type Input, NoScore, type Scoring, type Verdict } from './evaluator.ts'
export { createFromDefinition } from './from-definition.ts'
export { createJudges } from './judges/judges.ts'
export { createModels, type ModelsOptions } from './models/create.ts'
export type { Answer, Models, Question } from './models/models.ts'
export {
  pricesSchema,
  type ProvidersConfig,
  providersFromEnvironment,
  providersSchema,
} from './models/providers.ts'
export { createAddressCheck } from './remote/addresses.ts'
