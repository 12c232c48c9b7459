import { basename } from 'node:path'
import { evidences, limits } from '@llm-eval/protocol'
import * as z from 'zod'
import type { Evaluator } from '../evaluator.ts'
import { ThreadPool } from '../threads/pool.ts'
import { functionEvaluator } from './custom.ts'
import type { Task } from './tasks.ts'

const bound = z.number().nullable().default(null)
const described = z.array(
  z.strictObject({
    export: z.string(),
    slug: z.string().exactOptional(),
    version: z.union([z.string().max(100), z.number().transform(String), z.null()]).default(null),
    description: z.string().max(2_000).exactOptional(),
    needs: z.array(z.enum(evidences)).exactOptional(),
    threshold: z.number().exactOptional(),
    range: z.strictObject({ min: bound, max: bound }).exactOptional(),
    seconds: z.number().min(0.001).max(limits.judgeSeconds).exactOptional(),
  }),
)

export interface LoadedEvaluators {
  evaluators: Evaluator[]
  /** Ends their threads. */
  close(): Promise<void>
}

export interface LoadOptions {
  /** Threads of each module. */
  threads?: number
  /** Seconds that one score may take, where an evaluator does not say. */
  seconds?: number
  /** Megabytes of the memory of a thread. */
  megabytes?: number
}

/**
 * Loads evaluators from modules (`./my-evaluators.ts`): every named export that is a function, or an object with a function
 * `score`. They run in threads of their own, so that one that throws, hangs or loops for ever ends alone. An export may say
 * `version`, `slug`, `description`, `needs`, `threshold`, `range` and `seconds` of itself. A module's state is that of its thread.
 *
 * @param files absolute paths
 * @throws {Error} when a module cannot be loaded, or one of its exports is not usable; names the file
 */
export async function loadEvaluators(files: readonly string[], options: LoadOptions = {}): Promise<LoadedEvaluators> {
  const { threads: size = 2, seconds = limits.codeSeconds, megabytes: heapMb = 512 } = options
  const pools: ThreadPool[] = []
  const close = async () => void (await Promise.all(pools.map((pool) => pool.close())))
  try {
    const evaluators: Evaluator[] = []
    for (const file of files) {
      const pool = new ThreadPool({ file: threadFile(), size, heapMb, workerData: { file } })
      pools.push(pool)
      evaluators.push(...(await evaluatorsOf(file, pool, seconds)))
    }
    return { evaluators, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function evaluatorsOf(file: string, pool: ThreadPool, seconds: number): Promise<Evaluator[]> {
  const run = (task: Task, { signal, milliseconds }: { signal?: AbortSignal; milliseconds: number }) =>
    pool.run(task, { signal, milliseconds })
  const told = await run({ do: 'describe' }, { milliseconds: limits.judgeSeconds * 1_000 }).catch((error: unknown) => {
    throw unusable(file, error instanceof Error ? error.message : String(error))
  })
  const read = described.safeParse(told)
  if (!read.success) throw unusable(file, z.prettifyError(read.error))
  if (read.data.length === 0) throw unusable(file, 'it exports no function by name')
  return read.data.map(({ export: name, slug: given, seconds: own = seconds, ...rest }) => {
    const slug = given ?? slugOfName(name)
    if (!/^[a-z0-9][a-z0-9-]{0,99}$/.test(slug)) throw unusable(file, `${slug} is no slug: use letters, digits and -`)
    return functionEvaluator(
      (input, observed, signal) =>
        run({ do: 'score', export: name, given: input, observed }, { signal, milliseconds: own * 1_000 }),
      { slug, description: `The function ${name} of ${basename(file)}.`, ...rest },
    )
  })
}

/** `isPolite` and `is_polite` are `is-polite`. */
function slugOfName(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/[_$\s]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .toLowerCase()
}

function threadFile(): URL {
  // The same code runs from the sources (.ts) and from the build (.js); the thread's module lies beside this one in each.
  return new URL(`./custom.thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
}

function unusable(file: string, why: string): Error {
  return new Error(`${file} cannot be used: ${why}`)
}
