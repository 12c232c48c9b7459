import { caseResult, scoreAttempt } from '@llm-eval/engine/agent'
import type { AgentSettings } from '@llm-eval/formats'
import type { AttemptResult, CaseResult, TestCase } from '@llm-eval/protocol'
import { askAgent } from './ask-agent.ts'
import { agentOf, type TestTools } from './tools.ts'

export interface CaseRun {
  settings: AgentSettings
  tools: TestTools
  signal: AbortSignal
  /** Takes out of a result what must not be told; it is scored as it is. */
  hidden: (attempt: AttemptResult) => AttemptResult
  /** Where the agent is, over what settings and cases say. */
  agentUrl?: string | undefined
  /** Attempts at the same time. */
  concurrency: number
  /** Times that every case is asked, over what it says itself. */
  repeat?: number | undefined
  waived: { judge: boolean; tools: boolean }
  /** Told after each attempt. */
  onAttempt?: ((one: TestCase, attempt: AttemptResult) => void) | undefined
  /** Told when all attempts at a case are over. */
  onCase?: ((result: CaseResult) => void) | undefined
}

/**
 * Asks the agent all cases, each as often as is wished, and scores what it does. Cases begin in their order; one that fails or
 * hangs until its time is up leaves the others alone.
 *
 * @returns the results in the order of the cases; those that were not finished when the signal was aborted are missing
 */
export async function runCases(cases: readonly TestCase[], run: CaseRun): Promise<CaseResult[]> {
  const attempts = cases.map((): AttemptResult[] => [])
  const results = new Map<TestCase, CaseResult>()
  const times = (one: TestCase) => run.repeat ?? one.repetitions
  const work = cases.flatMap((one, index) => Array.from({ length: times(one) }, () => [one, index] as const))
  let next = 0
  const worker = async () => {
    for (let taken = work[next++]; taken && !run.signal.aborted; taken = work[next++]) {
      const [one, index] = taken
      const attempt = await attempted(one, run)
      if (attempt === null) return
      attempts[index]?.push(attempt)
      run.onAttempt?.(one, attempt)
      if (attempts[index]?.length !== times(one)) continue
      const result = caseResult(one, attempts[index])
      results.set(one, result)
      run.onCase?.(result)
    }
  }
  await Promise.all(Array.from({ length: Math.min(run.concurrency, work.length) }, worker))
  return cases.flatMap((one) => results.get(one) ?? [])
}

/** Null when it was given up. */
async function attempted(one: TestCase, run: CaseRun): Promise<AttemptResult | null> {
  const { tools, settings, signal } = run
  const agent = agentOf(settings, one, run.agentUrl)
  const questions = one.turns.map(({ query, context }, index) => ({
    query,
    context: index === 0 && one.agent.tools.length > 0 ? { ...context, tools: one.agent.tools } : context,
  }))
  try {
    const trace = await askAgent(agent, questions, { ...tools.ask, signal, thoughts: one.adk ? 'kept' : 'apart' })
    const scoring = { engine: tools.engine, signal, judge: tools.judge, waived: run.waived }
    return run.hidden(await scoreAttempt(one, trace, scoring))
  } catch (error) {
    if (signal.aborted) return null
    throw error
  }
}
