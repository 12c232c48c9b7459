import type { ExecutionStarted } from '@llm-eval/protocol'
import { callSafely } from '../callback.ts'
import type { Clock } from '../clock.ts'
import { type ErrorCode, LLMEvalError } from '../error.ts'
import type { EvaluatorResult } from './result.ts'

/** Hooks for your own measurements. What they throw is dropped. */
export interface Telemetry {
  /** Once for each execution that was asked for: when its end is known, or it is known that it will not be. */
  onExecution?: ((event: ExecutionEvent) => void) | undefined
  /** Once for each stream, when it is over. */
  onStream?: ((event: StreamEvent) => void) | undefined
}

/** What became of an execution. */
export interface ExecutionEvent {
  evaluator: string
  /** Null if it could not be started. */
  executionId: string | null
  /** Null if its end is not known here: nobody waited, or waiting failed. */
  status: EvaluatorResult['status'] | null
  error: ErrorCode | null
  /** Milliseconds until the server had taken it. */
  startMs: number
  /** Milliseconds from the request to the result. */
  durationMs: number
}

/** How results were waited for. */
export interface StreamEvent {
  /** Those that the stream told of. */
  executionIds: readonly string[]
  transport: Transport | 'document'
  durationMs: number
  /** Lost connections that were opened again. */
  reconnects: number
  /** Messages that arrived. */
  frames: number
  error: ErrorCode | null
}

/** How results arrive: `sse` unless you say otherwise. */
export type Transport = 'sse' | 'websocket'

/** Runs a hook of the application. */
export function tell<E>(hook: ((event: E) => void) | undefined, event: E): void {
  // Measuring must not break what is measured.
  callSafely(() => hook?.(event))
}

/** What is counted of one stream while it is open. */
export class StreamTally {
  transport: StreamEvent['transport']
  reconnects = 0
  frames = 0
  readonly #clock: Clock
  readonly #begun: number

  constructor(clock: Clock, transport: Transport) {
    this.#clock = clock
    this.#begun = clock.elapsed()
    this.transport = transport
  }

  /** The stream as it is at its end. */
  event(executionIds: readonly string[], thrown?: unknown): StreamEvent {
    const { transport, reconnects, frames } = this
    const durationMs = this.#clock.elapsed() - this.#begun
    return { executionIds, transport, durationMs, reconnects, frames, error: codeOf(thrown) }
  }
}

/** What is counted of one execution until its end is known. */
export class ExecutionTally {
  /** How it ended, as far as that is known here. */
  status: ExecutionEvent['status'] = null
  #executionId: string | null = null
  #startMs = 0
  readonly #clock: Clock
  readonly #evaluator: string
  readonly #telemetry: Telemetry | undefined
  readonly #begun: number

  constructor(clock: Clock, evaluator: string, telemetry: Telemetry | undefined) {
    this.#clock = clock
    this.#evaluator = evaluator
    this.#telemetry = telemetry
    this.#begun = clock.elapsed()
  }

  /** Passes on what starting it answers. */
  async starting(answer: Promise<ExecutionStarted>): Promise<ExecutionStarted> {
    try {
      const started = await answer
      this.#executionId = started.execution_id
      this.#startMs = this.#clock.elapsed() - this.#begun
      return started
    } catch (thrown) {
      this.#startMs = this.#clock.elapsed() - this.#begun
      this.end(codeOf(thrown))
      throw thrown
    }
  }

  /** Its stream is over: reports that, and the execution. */
  streamed(event: StreamEvent): void {
    tell(this.#telemetry?.onStream, event)
    this.end(event.error)
  }

  /** Reports the execution. */
  end(error: ErrorCode | null = null): void {
    tell(this.#telemetry?.onExecution, {
      evaluator: this.#evaluator,
      executionId: this.#executionId,
      status: this.status,
      error,
      startMs: this.#startMs,
      durationMs: this.#clock.elapsed() - this.#begun,
    })
  }
}

/** The code of what ended something before its time; a signal of the caller is an interruption. */
function codeOf(thrown: unknown): ErrorCode | null {
  if (thrown === undefined) return null
  return thrown instanceof LLMEvalError ? thrown.code : 'interrupted'
}
