import type { Conversation, ConversationState, ConversationTokens } from '@llm-eval/protocol'
import { formatCompact, unknown } from './numbers.ts'

/** How a conversation stands, in a word and a sentence. */
export const stateWords: Record<ConversationState, { word: string; says: string }> = {
  running: { word: 'Running', says: 'A request to the agent is under way.' },
  finished: { word: 'Finished', says: 'The agent answered to the end.' },
  waiting: { word: 'Waiting', says: 'The agent waits for the result of a tool that takes long.' },
  failed: { word: 'Failed', says: 'The agent said that it failed, or could not be asked.' },
  cancelled: { word: 'Cancelled', says: 'The front end went away before the answer was whole.' },
  truncated: { word: 'Cut off', says: 'The answer of the agent broke off: what had come is kept.' },
}

/** Classes of the colours that agents are told apart by; none of them says good or bad. */
const agentColours = [
  { edge: 'border-l-plot-1', dot: 'bg-plot-1' },
  { edge: 'border-l-plot-2', dot: 'bg-plot-2' },
  { edge: 'border-l-busy', dot: 'bg-busy' },
  { edge: 'border-l-plot-good', dot: 'bg-plot-good' },
  { edge: 'border-l-line-strong', dot: 'bg-line-strong' },
] as const
export type AgentColour = (typeof agentColours)[number]

/** The colour of an agent in a conversation: by when it first spoke; from the fifth on all have the last one. */
export function colourOf({ agents }: Pick<Conversation, 'agents'>, author: string): AgentColour {
  const at = agents.indexOf(author)
  const last = agentColours.length - 1
  return agentColours[at < 0 ? last : Math.min(at, last)] ?? agentColours[0]
}

/** 1.2K tokens; what is not known is a dash. */
export function tokensText({ total, input, output }: ConversationTokens): string {
  const known = total ?? (input !== null && output !== null ? input + output : null)
  return known === null ? `${unknown} tokens` : `${formatCompact(known)} tokens`
}

/** Every part of the tokens that is known, for who wants to know it exactly. */
export function tokensTitle(tokens: ConversationTokens): string {
  const parts = [
    ['input', tokens.input],
    ['of it cached', tokens.cached],
    ['output', tokens.output],
    ['of it thoughts', tokens.thoughts],
    ['total', tokens.total],
  ] as const
  const known = parts.filter(([, count]) => count !== null)
  if (known.length === 0) return 'The agent told no tokens.'
  return known.map(([word, count]) => `${word} ${count}`).join(', ')
}

/** The agent and the user, as far as they are known. */
export function whoseWords({ target, app_name: app, user_id: user }: Conversation): string {
  return [target ?? app, user].filter((word) => word !== '').join(' · ')
}
