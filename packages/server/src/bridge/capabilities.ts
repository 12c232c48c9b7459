import * as z from 'zod'
import type { Target } from './targets.ts'

/** What an agent can do, in the words of AG-UI (`AgentCapabilities`), as far as the bridge knows. */
export const capabilities = z.object({
  identity: z.object({ name: z.string(), type: z.string() }),
  transport: z.object({ streaming: z.boolean() }),
  tools: z.object({ supported: z.boolean(), parallelCalls: z.boolean(), clientProvided: z.boolean() }).optional(),
  state: z.object({ snapshots: z.boolean(), deltas: z.boolean(), persistentState: z.boolean() }).optional(),
  multiAgent: z.object({ supported: z.boolean(), handoffs: z.boolean() }).optional(),
  reasoning: z.object({ supported: z.boolean(), streaming: z.boolean(), encrypted: z.boolean() }).optional(),
  humanInTheLoop: z.object({ supported: z.boolean() }).optional(),
})

/** Tools that a front end offers are not known to agents of ADK: those have tools of their own. */
export function capabilitiesOf({ name, kind }: Target): z.output<typeof capabilities> {
  const known = { identity: { name, type: kind }, transport: { streaming: true } }
  if (kind === 'agui') return known
  return {
    ...known,
    tools: { supported: true, parallelCalls: true, clientProvided: false },
    state: { snapshots: true, deltas: true, persistentState: true },
    multiAgent: { supported: true, handoffs: true },
    reasoning: { supported: true, streaming: true, encrypted: true },
    humanInTheLoop: { supported: true },
  }
}
