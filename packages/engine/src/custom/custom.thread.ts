import { pathToFileURL } from 'node:url'
import { workerData } from 'node:worker_threads'
import * as z from 'zod'
import { serveTasks } from '../threads/serve.ts'
import { taskSchema } from './tasks.ts'

type Judge = (given: unknown, observed: unknown) => unknown

const { file } = z.object({ file: z.string() }).parse(workerData)
// Loaded with the first task, so that whoever asked hears why it cannot be.
const loaded = (): Promise<Record<string, unknown>> => import(pathToFileURL(file).href)

serveTasks(async (given) => {
  const task = taskSchema.parse(given)
  const exported = await loaded()
  if (task.do === 'describe') return Object.entries(exported).flatMap(([name, value]) => described(name, value))
  const { [task.export]: value } = exported
  const judge = functionOf(value)
  if (!judge) throw new Error(`it exports no function ${task.export}`)
  return judge(task.given, task.observed)
})

function functionOf(value: unknown): Judge | undefined {
  if (typeof value === 'function') return (given, observed) => value(given, observed)
  if (typeof value !== 'object' || value === null || !('score' in value)) return undefined
  const { score } = value
  return typeof score === 'function' ? (given, observed) => score.call(value, given, observed) : undefined
}

/** What an export says of itself, as far as a message can carry it. */
function described(name: string, value: unknown): object[] {
  if (name === 'default' || !functionOf(value)) return []
  const told: Record<string, unknown> = { export: name }
  for (const member of ['slug', 'version', 'description', 'needs', 'threshold', 'range', 'seconds']) {
    const own = Object.getOwnPropertyDescriptor(value, member)?.value
    if (own !== undefined && typeof own !== 'function') told[member] = structuredClone(own)
  }
  return [told]
}
