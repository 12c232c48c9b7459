export { createAdkClient, sessionIdOf } from './adk-client.ts'
export type { AdkAnswer, AdkClient, AdkQuestion, AdkTarget } from './adk-target.ts'
export {
  type Agent,
  agentDefaults,
  type Question,
  type RequestShape,
  requestShapes,
  type ResponsePaths,
  timeoutProfiles,
} from './agent.ts'
export { ask, type AskClock, type AskOptions } from './ask.ts'
export { type Mapping, mappingOf } from './dialects/mapping.ts'
export { type Called, type Calling, callServer, readJson } from './call-server.ts'
export { type Examination, examine, type ExamineOptions } from './examine.ts'
export { advice, type Finding, problem, well } from './finding.ts'
export { AgentFailed, concealed, secretsOf } from './fault.ts'
export { type Overheard, questionIn, type Request, understand, type Understood } from './overhear.ts'
