import { Failure, type Fault } from '@llm-eval/protocol'
import { name } from '@llm-eval/protocol/schemas'
import type { Store } from '@llm-eval/store'
import * as z from 'zod'
import type { Ask } from '../judging/judge.ts'
import { valueAt } from './path.ts'

const object = z.record(z.string(), z.unknown())
const mapping = z.record(z.string(), z.object({ source: z.unknown() }))
const shared = {
  evaluator_version: name.nullish(),
  evaluator_config: object.nullish(),
  data: object.nullish().describe('When it is given, each `source` that is a text is a path into it.'),
  trace_id: name.nullish().describe('When it is given, each `source` that is a text is a path into that trace.'),
}

/** Starts an evaluator. What an SDK sends as `source` is the value itself, of any JSON type. */
export const mappedInput = z.object({ input_schema_mapping: mapping, ...shared })

/** The same, or the `input` that SDKs of version 0.23 sent to this path to run an evaluator. */
export const startInput = z.union([mappedInput, z.object({ input: object, config: object.nullish() })])

/** Starts the evaluator that the body names, on a task. */
export const taskAskInput = mappedInput.extend({ evaluator_slug: name })

/** Runs an evaluator or a guard. */
export const runInput = z.object({ input: object, config: object.nullish() })

interface Source {
  store: Store
  projectId: number
}

/** What is asked of the judge by a body with an input mapping. */
export async function mappedAsk(
  { store, projectId }: Source,
  evaluator: string,
  body: z.infer<typeof mappedInput>,
): Promise<Ask> {
  const { data, trace_id: traceId } = body
  const trace = typeof traceId === 'string' ? await store.read(projectId, 'trace', { traceId }) : null
  if (typeof traceId === 'string' && trace === null) throw new Failure('trace_not_found')
  const roots = [data, trace].filter((root) => root !== null && root !== undefined)
  return {
    evaluator,
    version: body.evaluator_version ?? null,
    input: roots.length === 0 ? literals(body.input_schema_mapping) : pick(body.input_schema_mapping, roots),
    config: body.evaluator_config ?? null,
    traceId: traceId ?? null,
  }
}

type Mapping = z.infer<typeof mapping>

function literals(given: Mapping): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).map(([field, { source }]) => [field, source]))
}

/** Takes each field from the first root that has something at its path. */
function pick(given: Mapping, roots: readonly unknown[]): Record<string, unknown> {
  const faults: Fault[] = []
  const input = Object.entries(given).map(([field, { source }]) => {
    if (typeof source !== 'string') return [field, source] as const
    const found = roots.map((root) => valueAt(root, source)).find((value) => value !== undefined)
    if (found === undefined) {
      const path = `input_schema_mapping.${field}.source`
      faults.push({ path, message: `nothing is at ${source.slice(0, 100)}` })
    }
    return [field, found] as const
  })
  if (faults.length > 0) throw new Failure('invalid_request', { errors: faults })
  return Object.fromEntries(input)
}
