/** Milliseconds of work after which others get their turn. */
const turnMs = 8

/** What becomes of each, in their order; others get their turn in between where there are many, or they are large. */
export async function mapInTurns<T, U>(all: readonly T[], make: (one: T, at: number) => U): Promise<U[]> {
  const made: U[] = []
  let began = performance.now()
  for (const [at, one] of all.entries()) {
    if (performance.now() - began > turnMs) {
      await new Promise(setImmediate)
      began = performance.now()
    }
    made.push(make(one, at))
  }
  return made
}
