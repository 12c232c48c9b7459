import { ThreadPool } from './pool.ts'

/** Threads that score with the built-in evaluators, by slug. */
export function createEvaluatorThreads(size: number): ThreadPool {
  // The same code runs from the sources (.ts) and from the build (.js); the thread's module lies beside this one in each.
  const file = `./evaluators.thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`
  return new ThreadPool({ file: new URL(file, import.meta.url), size })
}
