import * as z from 'zod'
import { builtinEvaluators } from '../builtin.ts'
import { serveTasks } from './serve.ts'

const bySlug = new Map(builtinEvaluators.map((evaluator) => [evaluator.slug, evaluator]))
const taskSchema = z.object({ slug: z.string(), input: z.record(z.string(), z.unknown()), config: z.unknown() })
/** Ended from outside: nothing in here can be told to stop. */
const { signal } = new AbortController()

serveTasks((task) => {
  const { slug, input, config } = taskSchema.parse(task)
  const evaluator = bySlug.get(slug)
  if (!evaluator) throw new Error(`the thread knows no ${slug}`)
  return evaluator.score(input, { config, signal, progress: () => undefined })
})
