import type { TraceDetail } from '@llm-eval/protocol'
import type { LLMEvalClient } from 'llm-eval-sdk'
import { clientOf, type Target } from './target.ts'

declare global {
  // Node 22 and later know these; the language library of TypeScript does not yet.
  interface JSON {
    /** A value that `JSON.stringify` writes as this text. */
    rawJSON(text: string): { rawJSON: string }
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  }
}

/** A trace for reading, and the same for printing: `JSON.stringify` writes the numbers of `printed` as the server did. */
export interface ExactTrace {
  trace: TraceDetail
  printed: TraceDetail
}

/** Asks for a trace, and keeps the digits of numbers that JavaScript would round, as those above 2^53. */
export async function askExactly(
  target: Target,
  ask: (client: LLMEvalClient) => Promise<TraceDetail>,
): Promise<ExactTrace> {
  let text = Promise.resolve('')
  const client = clientOf(target, {
    async fetch(input, init) {
      const answer = await fetch(input, init)
      text = answer.clone().text()
      // Whoever reads the answer itself is told when it breaks off.
      text.catch(() => undefined)
      return answer
    },
  })
  const trace = await ask(client)
  return { trace, printed: parseExactly(await text) as TraceDetail }
}

function parseExactly(text: string): unknown {
  return JSON.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? JSON.rawJSON(source) : value,
  )
}
