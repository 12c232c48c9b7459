import { query } from 'jsonpath-rfc9535'
import type { ResponsePaths } from '../agent.ts'
import { AgentFailed } from '../fault.ts'
import type { TurnRecorder } from '../recorder.ts'
import { argumentsOf, errorText, idIn, record, textIn, valueIn } from '../told.ts'
import { dollarsIn, usageIn } from '../usage.ts'

/**
 * Reads a document, or an event of a stream, where a mapping says it is. Whether any output was found is the caller's to judge:
 * most events of a stream have none.
 *
 * @throws AgentFailed when the place of errors holds one
 */
export function readMapped(value: unknown, paths: ResponsePaths, recorder: TurnRecorder): void {
  const [error] = at(value, paths.error)
  if (error !== undefined && error !== null && error !== false && error !== '')
    throw new AgentFailed({ code: 'agent_error', message: `The agent reported a failure: ${errorText(error)}` })
  for (const piece of at(value, paths.output))
    recorder.addText(typeof piece === 'string' ? piece : piece === null ? '' : JSON.stringify(piece))
  const calls = at(value, paths.tool_calls).flat()
  if (paths.tool_calls !== undefined) recorder.captured.add('tools')
  for (const call of calls) readCall(call, recorder)
  const usage = usageIn(at(value, paths.tokens)[0])
  if (usage) recorder.usage(usage)
  const [cost] = at(value, paths.cost)
  const dollars = cost === undefined ? null : dollarsIn({ cost })
  if (dollars !== null) recorder.cost(dollars)
  const [model] = at(value, paths.model)
  if (typeof model === 'string') recorder.model = model
  const [session] = at(value, paths.session)
  if (typeof session !== 'string' && typeof session !== 'number') return
  recorder.sessionId = String(session)
  recorder.captured.add('session')
}

/** What is wrong with a path, if anything is. */
export function pathFault(path: string): string | undefined {
  try {
    query(null, path)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function at(value: unknown, path: string | undefined): unknown[] {
  // What came as JSON is a JSON value.
  return path === undefined ? [] : query(value as Parameters<typeof query>[0], path)
}

function readCall(call: unknown, recorder: TurnRecorder): void {
  const one = record(call)
  if (typeof call === 'string') recorder.call({ name: call })
  if (!one) return
  const called = record(one['function']) ?? one
  const name = textIn(called, ['name', 'tool', 'tool_name', 'toolName'])
  const args = argumentsOf(valueIn(called, ['arguments', 'args', 'parameters', 'params', 'input']))
  const id = idIn(one, ['id', 'call_id']) ?? null
  recorder.call({ id, name, args })
  const result = valueIn(one, ['result', 'output'])
  if (result !== undefined) recorder.result({ id, result, name })
}
