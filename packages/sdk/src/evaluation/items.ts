import { type Answerer, type Ask, type RunAnswer } from '@llm-eval/engine'
import { limits, type RunItem } from '@llm-eval/protocol'
import { isObject } from '../inside.ts'
import { caseIn } from './cases.ts'
import { caseField } from './metrics.ts'
import type { Task, TaskOutput } from './options.ts'

/** A task as the engine asks it. `seen` is told what evaluators of the server should see beside the item. */
export function answererOf(task: Task, seen: (ask: Ask, evidence: Record<string, unknown>) => void): Answerer {
  const toAnswer = (ask: Ask, said: unknown): RunAnswer => {
    const { output, tokens, cost, tool_calls: toolCalls, trace_id: traceId, context } = readOutput(said)
    const evidence: Record<string, unknown> = {}
    if (toolCalls !== undefined) evidence['tool_calls'] = toolCalls
    if (context !== undefined) evidence['context'] = context
    seen(ask, evidence)
    return { output, tokens, cost, traceId, evidence }
  }
  return (ask) => {
    const one = caseIn(ask.case)
    const context = {
      case: one,
      repetition: ask.repetition,
      attempt: ask.attempt,
      get signal() {
        return ask.signal
      },
    }
    const said = task(one.input, context)
    // A task that gives its output at once need not wait its turn.
    return isThenable(said) ? Promise.resolve(said).then((later) => toAnswer(ask, later)) : toAnswer(ask, said)
  }
}

function isThenable(said: unknown): said is PromiseLike<unknown> {
  return typeof said === 'object' && said !== null && 'then' in said && typeof said.then === 'function'
}

const outputMembers = new Set(['output', 'tokens', 'cost', 'tool_calls', 'trace_id', 'context'])

/** An object with no other members than these is what a task says of its output; everything else is the output. */
function readOutput(said: unknown): TaskOutput {
  if (isObject(said) && 'output' in said && Object.keys(said).every((name) => outputMembers.has(name)))
    return { ...said, output: said['output'] }
  return { output: said }
}

/** What the server's evaluators see of a case beside its input and expectation: its row, where that is no larger than an output. */
export function evidenceOf({ case: one }: Ask, evidence: Record<string, unknown>): Record<string, unknown> {
  const { [caseField]: _, ...values } = one.values ?? {}
  return isSmallJson(values) ? { ...values, ...evidence } : evidence
}

function isSmallJson(values: unknown): boolean {
  try {
    return JSON.stringify(values).length <= limits.runOutputBytes
  } catch {
    return false
  }
}

/** The event of a finished item. */
export function finishedEvent(item: RunItem, evidence: Record<string, unknown> | undefined): object {
  return { type: 'item_finished', ...item, ...(evidence && { evidence }) }
}
