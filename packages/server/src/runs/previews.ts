/** Items of runs in short. */
import { itemIdOf } from '@llm-eval/engine'
import { limits, type RunItemPreview } from '@llm-eval/protocol'
import type { StoredRunItem } from '@llm-eval/store'

/** An item in short. The beginnings of its body must have been read. */
export function previewOf(stored: StoredRunItem, names: readonly string[]): RunItemPreview {
  const { caseId, repetition, costNano, body } = stored
  const scores = names.flatMap((name, at) => {
    const score = stored.scores[at]
    return score ? [[name, score] as const] : []
  })
  return {
    item_id: itemIdOf(caseId, repetition),
    item_index: stored.itemIndex,
    case_id: caseId,
    repetition,
    status: stored.status,
    input: beginningOf(body?.input),
    expected: beginningOf(body?.expected),
    output: beginningOf(body?.output),
    scores: Object.fromEntries(scores),
    error: stored.error,
    attempts: stored.attempts,
    response_time_ms: stored.responseMs,
    tokens: stored.tokens,
    cost: costNano === null ? null : costNano / 1e9,
    trace_id: stored.traceId,
    completed_at: new Date(stored.completedAt).toISOString(),
  }
}

/** The longest that an escape in JSON is, less its last character. */
const longestTail = 5

/** The beginning of a value, of which only the beginning of its JSON is known: texts without their quotes and escapes. */
export function beginningOf(json: string | null | undefined): string | null {
  if (json === null || json === undefined || json === 'null') return null
  return cut(json.startsWith('"') ? textOf(json) : json)
}

function textOf(json: string): string {
  // What is cut may end within an escape.
  for (const end of [
    json,
    ...Array.from({ length: longestTail + 1 }, (_, less) => `${json.slice(0, json.length - less)}"`),
  ]) {
    const text = parsed(end)
    if (text !== undefined) return text
  }
  return json
}

function parsed(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

function cut(text: string): string {
  return text.slice(0, limits.itemPreviewChars).toWellFormed()
}
