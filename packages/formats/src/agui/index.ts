export { AdkToAgui, type RunBeginning, type RunEnding, type RunOutcome } from './adk-to-agui.ts'
export { type AguiEvent, type AguiEventOf, readAguiEvent } from './events.ts'
export { readRunAgentInput, type RunAgentInput, runAgentInputSchema } from './input.ts'
export { type AdkRequest, type KnownThread, toAdkRequest, type UserMessage } from './to-adk-request.ts'
