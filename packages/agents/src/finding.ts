/** One thing that was looked at: `well`, `advice` (more could be tested), or `problem` (tests would fail for it). */
export interface Finding {
  severity: 'well' | 'advice' | 'problem'
  /** A word or two. */
  topic: string
  /** What was found, as a sentence. */
  found: string
  /** What to add to the agent, as a line to copy; null where nothing is missing. */
  add: string | null
}

/** What is as it should be. */
export function well(topic: string, found: string): Finding {
  return { severity: 'well', topic, found, add: null }
}

/** What keeps something from being tested. `add`: what would show it. */
export function advice(topic: string, found: string, add: string | null): Finding {
  return { severity: 'advice', topic, found, add }
}

/** What tests would fail for. `add`: what mends it. */
export function problem(topic: string, found: string, add: string | null): Finding {
  return { severity: 'problem', topic, found, add }
}
