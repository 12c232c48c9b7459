import { limits } from '@llm-eval/protocol'

/** Why a line of a log, or a part of a conversation in it, could not be used as it stands. */
export const logWarningCodes = [
  /** A record that breaks off. */
  'cut_json',
  /** A record that is neither JSON nor a literal of Python. */
  'bad_json',
  /** A record with an object of Python that is no literal, such as `Content(parts=[…])`. */
  'python_object',
  'too_large',
  'too_deep',
  /** A number that JSON has not, or would round: it is kept as text. */
  'number_as_text',
  /** A record that looks like an event and is none. */
  'bad_event',
  /** Something of an event that no version of ADK has, or that is not what it should be. */
  'not_kept',
  /** The agent said that it failed. */
  'agent_error',
  /** More than are kept of a kind: the rest is left out. */
  'too_many',
  /** Whoever wrote the log left lines out. */
  'lines_left_out',
  /** A run of the bridge of which the engine's log holds nothing. */
  'no_engine_events',
  /** An invocation of the engine that no run of the bridge is for. */
  'no_bridge_run',
  /** Several runs might be the one. */
  'ambiguous',
  /** Put together by nothing but the time. */
  'joined_by_time',
  'no_user_message',
  /** A run that no log says the end of, in the middle of an answer. */
  'no_end',
  'no_time',
] as const
export type LogWarningCode = (typeof logWarningCodes)[number]

export interface LogWarning {
  /** As the caller calls it; null where it does not. */
  file: string | null
  /** From 1; null where it is about no line. */
  line: number | null
  code: LogWarningCode
  message: string
}

/** Lines of a log, as a file or a list has them. */
export type LogLines = Iterable<string> | AsyncIterable<string>

export interface LogOptions {
  /** What warnings call it. */
  file?: string | undefined
  /** Minutes east of Greenwich of times that do not say it; 0, which is UTC, unless given. */
  utcOffsetMinutes?: number | undefined
  /** Events that are kept; `limits.logEvents` unless said. */
  mostEvents?: number | undefined
}

/** Where something stands. */
export interface LogPlace {
  file: string | null
  line: number | null
}

/** Collects warnings, as many as anybody reads: further ones are counted. */
export class LogWarnings {
  readonly list: LogWarning[] = []
  /** Of which log they are; null where they are of several. */
  readonly file: string | null
  readonly #told = new Set<LogWarningCode>()
  #left = 0

  constructor(file: string | null) {
    this.file = file
  }

  /** Of many lines with the same fault the first is told. */
  once(code: LogWarningCode, place: LogPlace | number | null, message: string): void {
    if (this.#told.has(code)) return
    this.#told.add(code)
    this.add(code, place, message)
  }

  /** @param place a line of this log, or a place in any */
  add(code: LogWarningCode, place: LogPlace | number | null, message: string): void {
    const { file, line } = typeof place === 'object' && place !== null ? place : { file: this.file, line: place }
    if (this.list.length < limits.logWarnings) this.list.push({ file, line, code, message })
    else this.#left++
  }

  /** All of them, and how many more there were. */
  all(): LogWarning[] {
    if (this.#left === 0) return this.list
    return [
      ...this.list,
      { file: this.file, line: null, code: 'too_many', message: `There are ${this.#left} more warnings.` },
    ]
  }
}
