import * as z from 'zod'
import { type Baseline, type Quarantine, variantPattern } from './agent-result.ts'
import { agentDialects, agentFaults, agentParts, type AgentTrace } from './agent-trace.ts'

const count = z.number().min(0)
const text = z.string().max(4_000_000)
const name = z.string().min(1).max(200)

const toolCall = z.object({
  id: z.string().nullable(),
  name: z.string(),
  args: z.unknown(),
  result: z.unknown(),
  succeeded: z.boolean().nullable(),
  error: z.string().nullable(),
  started_ms: count.nullable(),
  ended_ms: count.nullable(),
  turn: z.int().min(1),
})

/** What an agent was seen to do, as it is kept and sent. */
export const agentTraceSchema: z.ZodType<AgentTrace> = z.object({
  dialect: z.enum(agentDialects).nullable(),
  level: z.literal([1, 2, 3]),
  captured: z.array(z.enum(agentParts)),
  output: text,
  tool_calls: z.array(toolCall).max(10_000),
  turns: z
    .array(
      z.object({
        query: text,
        output: text,
        latency_ms: count,
        first_token_ms: count.nullable(),
        attempts: z.int().min(0),
      }),
    )
    .max(1_000),
  tokens: z
    .object({ input: count.nullable(), output: count.nullable(), cached: count.nullable(), total: count })
    .nullable(),
  cost: count.nullable(),
  cost_source: z.enum(['reported', 'priced']).nullable(),
  model: z.string().nullable(),
  session_id: z.string().nullable(),
  latency_ms: count,
  first_token_ms: count.nullable(),
  notes: z
    .array(
      z.object({
        kind: z.enum(['status', 'narration', 'unknown']),
        text: z.string(),
        at_ms: count,
        turn: z.int().min(1),
      }),
    )
    .max(10_000),
  fault: z
    .object({
      code: z.enum(agentFaults),
      message: z.string(),
      status: z.int().optional(),
      line: z.int().optional(),
      excerpt: z.string().optional(),
    })
    .nullable(),
  warnings: z.array(z.string()).max(1_000),
})

/** What somebody accepted of a case. */
export const baselineSchema: z.ZodType<Baseline> = z.object({
  version: z.literal(1),
  case_id: name,
  name,
  suite: name,
  variant: z.string().regex(variantPattern, 'must be 1 to 60 letters, digits, _ and -'),
  accepted_at: z.iso.datetime({ offset: true }),
  accepted_by: z.string().max(200).nullable(),
  note: z.string().max(10_000).nullable(),
  model: z.string().nullable(),
  attempts: z
    .array(z.object({ score: z.number().min(0).max(100).nullable(), trace: agentTraceSchema }))
    .min(1)
    .max(1_000),
})

/** A case that does not count for a while. */
export const quarantineSchema: z.ZodType<Quarantine> = z.object({
  case_id: name,
  owner: z.string().trim().min(1).max(200),
  reason: z.string().trim().min(1).max(10_000),
  expires_at: z.iso.datetime({ offset: true }),
})
