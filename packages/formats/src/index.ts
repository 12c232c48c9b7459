export { caseIdOf, defaultWeights } from './cases/canonical.ts'
export { readCases, type ReadCasesOptions } from './cases/read.ts'
export { caseFileSchema } from './cases/schema.ts'
export { type AgentSettings, readSettings, type ReadSettingsOptions } from './cases/settings.ts'
