import { limits } from '@llm-eval/protocol'
import { BridgeRuns } from './logs-bridge-runs.ts'
import type { BridgeRun } from './logs-bridge-words.ts'
import { findIn, leftOutAt, leftOutText } from './logs-find.ts'
import { LogScanner } from './logs-scan.ts'
import { type LogLines, type LogOptions, type LogWarning, LogWarnings } from './logs-words.ts'

export interface BridgeLog {
  runs: BridgeRun[]
  warnings: LogWarning[]
}

/**
 * Reads what a bridge told its front ends, out of a log of any shape: AG-UI events as JSON or `data:` lines, with a prefix or
 * without, their type in the JSON or before it; and the requests (`RunAgentInput`), which hold what users said. Nothing throws:
 * what cannot be used is told with its line. Seed 003's `parse_bridge_logs`.
 */
export async function parseBridgeLog(lines: LogLines, options: LogOptions = {}): Promise<BridgeLog> {
  const warnings = new LogWarnings(options.file ?? null)
  const scanner = new LogScanner(warnings)
  const runs = new BridgeRuns(warnings, options.mostEvents ?? limits.logEvents)
  for await (const line of lines) {
    for (const record of scanner.push(line)) {
      const left = leftOutAt(record)
      if (left !== null) warnings.add('lines_left_out', record.line, leftOutText(left))
      const named = typeIn(record.prefix)
      for (const found of findIn(record, (value) => named !== undefined || isWanted(value), options))
        runs.take(found, { line: record.line, named })
    }
  }
  scanner.end()
  return { runs: runs.all(), warnings: warnings.all() }
}

const eventTypes =
  /^(?:(?:RUN|STEP|SUBAGENT)_(?:STARTED|FINISHED|ERROR)|(?:TEXT_MESSAGE|TOOL_CALL|REASONING|REASONING_MESSAGE|THINKING|THINKING_TEXT_MESSAGE)_(?:START|CONTENT|ARGS|END|CHUNK|RESULT)|REASONING_ENCRYPTED_VALUE|(?:STATE|MESSAGES|ACTIVITY)_(?:SNAPSHOT|DELTA)|RAW|CUSTOM)$/

function isWanted(value: Record<string, unknown>): boolean {
  const { type } = value
  return (typeof type === 'string' && eventTypes.test(type)) || Array.isArray(value['messages'])
}

/** The last word before a record that is the type of an event. */
function typeIn(prefix: string): string | undefined {
  return prefix.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g)?.findLast((word) => eventTypes.test(word))
}
