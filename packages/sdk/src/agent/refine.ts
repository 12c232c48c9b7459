/**
 * Why refining ended. `done`: `shouldStop` said so; `no_improvement`: a further attempt was no better; `failed`: an attempt threw;
 * `aborted`: nobody waits any more. What was best until then is the result in each case.
 */
export type RefineStop = 'done' | 'no_improvement' | 'max_iterations' | 'max_time' | 'failed' | 'aborted'

export interface RefineOptions<Result> {
  /** The first answer. When it fails there is nothing to return, and its error is thrown. */
  start: (signal: AbortSignal) => Promise<Result>
  /** A better answer, made of the best so far. */
  improve: (best: Result, step: { iteration: number; signal: AbortSignal }) => Promise<Result>
  /** Whether an attempt is better than the best so far. */
  isBetter: (candidate: Result, best: Result) => boolean
  /** Whether the best is good enough. It is asked before each attempt. */
  shouldStop?: ((best: Result) => boolean) | undefined
  /** Attempts after the first, at least 0; 3 when absent. */
  maxIterations?: number | undefined
  /** Milliseconds from the start, the first answer included; 30,000 when absent. */
  maxMs?: number | undefined
  /** Attempts that are no better, one after another, before it ends; 1 when absent. */
  patience?: number | undefined
  /** Told before each attempt, such as `Refinement 1/3`: `stream.status` fits. */
  onStatus?: ((text: string) => void | Promise<void>) | undefined
  signal?: AbortSignal | undefined
  /** A clock in milliseconds. */
  now?: (() => number) | undefined
}

export interface Refined<Result> {
  result: Result
  /** Attempts after the first that came to an end. */
  iterations: number
  stopped: RefineStop
  /** What an attempt threw, where one did. */
  error?: unknown
}

/**
 * Refines an answer, within bounds: so many times, so long, and only while it gets better. An attempt that is still at work when
 * time is up is told by its signal and not waited for; the best until then is returned, as good enough is better than too late.
 *
 * @throws whatever `start` throws; RangeError for bounds that are none
 */
export async function refine<Result>(options: RefineOptions<Result>): Promise<Refined<Result>> {
  const { maxIterations = 3, maxMs = 30_000, patience = 1, now = Date.now } = options
  wholeFrom(0, { maxIterations })
  wholeFrom(1, { patience })
  if (!(maxMs > 0)) throw new RangeError(`maxMs must be more than 0, not ${maxMs}`)
  const started = now()
  const over = new AbortController()
  const giveUp = () => over.abort(options.signal?.reason)
  if (options.signal?.aborted === true) giveUp()
  options.signal?.addEventListener('abort', giveUp, { once: true })
  const timer = setTimeout(() => over.abort(outOfTime), maxMs)
  let iterations = 0
  let worse = 0
  try {
    let result: Result = await options.start(over.signal)
    const ended = (stopped: RefineStop): Refined<Result> => ({ result, iterations, stopped })
    for (;;) {
      if (options.shouldStop?.(result) === true) return ended('done')
      if (over.signal.aborted) return ended(reasonOf(over.signal))
      if (now() - started >= maxMs) return ended('max_time')
      if (iterations >= maxIterations) return ended('max_iterations')
      await options.onStatus?.(`Refinement ${iterations + 1}/${maxIterations}`)
      const attempt = await attempted(options, { best: result, iteration: iterations + 1, signal: over.signal })
      if (attempt === 'over') return ended(reasonOf(over.signal))
      iterations++
      if ('error' in attempt) return { ...ended('failed'), error: attempt.error }
      const isBetter = options.isBetter(attempt.candidate, result)
      if (isBetter) result = attempt.candidate
      worse = isBetter ? 0 : worse + 1
      if (worse >= patience) return ended(options.shouldStop?.(result) === true ? 'done' : 'no_improvement')
    }
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', giveUp)
  }
}

const outOfTime = Symbol('out of time')

function reasonOf({ reason }: AbortSignal): RefineStop {
  return reason === outOfTime ? 'max_time' : 'aborted'
}

async function attempted<Result>(
  { improve }: RefineOptions<Result>,
  { best, iteration, signal }: { best: Result; iteration: number; signal: AbortSignal },
): Promise<{ candidate: Result } | { error: unknown } | 'over'> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve('over'), { once: true })
    Promise.resolve()
      .then(() => improve(best, { iteration, signal }))
      .then(
        (candidate) => resolve({ candidate }),
        (error: unknown) => resolve(signal.aborted ? 'over' : { error }),
      )
  })
}

function wholeFrom(least: number, named: Record<string, number>): void {
  for (const [name, value] of Object.entries(named))
    if (!Number.isInteger(value) || value < least)
      throw new RangeError(`${name} must be a whole number from ${least} on, not ${value}`)
}
