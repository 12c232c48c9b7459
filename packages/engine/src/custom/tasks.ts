import * as z from 'zod'

const record = z.record(z.string(), z.unknown())

/** What a thread with a module of evaluators is asked to do. */
export const taskSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('describe') }),
  z.object({ do: z.literal('score'), export: z.string(), given: record, observed: record }),
])
export type Task = z.output<typeof taskSchema>
