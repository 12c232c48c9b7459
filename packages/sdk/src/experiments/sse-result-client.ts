import { evaluationRoutes, type ExecutionProgress } from '@llm-eval/protocol'
import { callSafely } from '../callback.ts'
import type { Connection } from '../connection.ts'
import { Deadline } from '../deadline.ts'
import { LLMEvalError, toError } from '../error.ts'
import { followExecutions } from '../execution-follower.ts'
import { awaitDocument } from './document.ts'
import { callBack, errorOfResult, type EvaluatorResult, type ResultCallback, resultOf } from './result.ts'
import { connect, type EvaluationServer, waitMs, type WaitTime } from '../evaluation-server.ts'
import { openSocket, socketOf, type SocketConstructor } from './socket.ts'
import { StreamTally, type Telemetry, tell, type Transport } from './telemetry.ts'

/** How results are waited for. */
export interface WaitOptions extends WaitTime {
  /** Is handed the result, also that of a failed execution. */
  callback?: ResultCallback | undefined
  onProgress?: ((progress: ExecutionProgress) => unknown) | undefined
  /** Is told what callbacks throw, and of lost connections; in the background also of what ends the wait. */
  onError?: ((error: Error) => unknown) | undefined
  /** Ends the wait when aborted; the execution goes on. */
  signal?: AbortSignal | undefined
}

/** Options of an `SSEResultClient`. */
export interface ResultClientOptions extends EvaluationServer {
  telemetry?: Telemetry | undefined
  transport?: Transport | undefined
  /** The class for the transport `websocket`, where the run time has none (Node before 22). */
  WebSocket?: SocketConstructor | undefined
}

/** One wait. */
interface Wait {
  executionId: string
  streamUrl: string
  options: WaitOptions
  deadline: Deadline
  tally: StreamTally
}

/**
 * Waits for results of executions as they are streamed. A lost connection is opened again and goes on where it broke off; a
 * server that is not llm-eval, but speaks as Traceloop does, is asked for its document instead.
 */
export class SSEResultClient {
  readonly #connection: Connection
  readonly #transport: Transport
  readonly #Socket: SocketConstructor | undefined
  readonly #telemetry: Telemetry | undefined
  readonly #waiting = new Map<string, Set<Deadline>>()
  /** Set once the server has shown that it has no event streams. */
  #isForeign = false

  /** @param apiKeyOrOptions a key, or options */
  constructor(apiKeyOrOptions?: string | null | ResultClientOptions) {
    const options = typeof apiKeyOrOptions === 'object' ? (apiKeyOrOptions ?? {}) : { apiKey: apiKeyOrOptions }
    const { telemetry, transport = 'sse', WebSocket, ...server } = options
    this.#connection = connect(server)
    this.#telemetry = telemetry
    this.#transport = transport
    this.#Socket = transport === 'websocket' ? socketOf(WebSocket) : undefined
  }

  /** The executions that are being waited for. */
  get activeStreams(): string[] {
    return [...this.#waiting.keys()]
  }

  /**
   * Waits for the result of an execution.
   *
   * @throws {LLMEvalError} `failed` if it failed or was cancelled (the result is in `body`), `timeout`, `interrupted` after
   *   `stopStream`, `auth`, `not_found`, `protocol`; or the reason of a signal
   */
  async waitForResult(executionId: string, streamUrl: string, options: WaitOptions = {}): Promise<EvaluatorResult> {
    const result = await this.#wait(executionId, streamUrl, options)
    if (result.status === 'completed') return result
    throw errorOfResult(result)
  }

  /**
   * Waits in the background. What ends the wait without a result goes to `onError`, or to the console if there is none.
   *
   * @throws {TypeError} if the time is none
   */
  startAsyncStream(executionId: string, streamUrl: string, options: ResultCallback | WaitOptions): void {
    const wanted = typeof options === 'function' ? { callback: options } : options
    waitMs(wanted)
    this.#wait(executionId, streamUrl, wanted).catch((thrown: unknown) => {
      if (wanted.signal?.aborted || isStop(thrown)) return
      if (wanted.onError) callSafely(() => wanted.onError?.(toError(thrown)))
      else console.error(`llm-eval-sdk: no result of the execution ${executionId}:`, toError(thrown).message)
    })
  }

  /** Ends every wait for an execution. The execution itself goes on. */
  stopStream(executionId: string): void {
    for (const deadline of this.#waiting.get(executionId) ?? []) {
      const message = `Nobody waits for the execution ${executionId} any more: stopStream was called.`
      deadline.abort(new LLMEvalError('interrupted', message, { failure: stopped }))
    }
  }

  async #wait(executionId: string, streamUrl: string, options: WaitOptions): Promise<EvaluatorResult> {
    const timeoutMs = waitMs(options)
    const { clock } = this.#connection
    const deadline = new Deadline(clock, { signal: options.signal, timeoutMs }, this.#eventsUrl(executionId))
    const tally = new StreamTally(clock, this.#transport)
    const group = this.#waiting.get(executionId) ?? new Set()
    this.#waiting.set(executionId, group.add(deadline))
    let trouble: unknown
    try {
      const result = await this.#listen({ executionId, streamUrl, options, deadline, tally })
      callBack(() => options.callback?.(result), options.onError)
      return result
    } catch (thrown) {
      trouble = thrown
      throw thrown
    } finally {
      deadline.clear()
      group.delete(deadline)
      if (group.size === 0) this.#waiting.delete(executionId)
      tell(this.#telemetry?.onStream, tally.event([executionId], trouble))
    }
  }

  async #listen(wait: Wait): Promise<EvaluatorResult> {
    if (!this.#isForeign) {
      try {
        return await this.#follow(wait)
      } catch (error) {
        if (!isUnknownRoute(error)) throw error
        this.#isForeign = true
      }
    }
    wait.tally.transport = 'document'
    const onLost = this.#heedLoss(wait)
    return await awaitDocument(this.#connection, { ...wait, onLost }, wait.deadline)
  }

  async #follow(wait: Wait): Promise<EvaluatorResult> {
    const { executionId, options, deadline, tally } = wait
    const connection = this.#connection
    const url = this.#eventsUrl(executionId)
    const open = this.#Socket
      ? openSocket(connection, executionId, this.#Socket)
      : connection.openUrl.bind(connection, url)
    const source = { url, open, ids: [executionId], onLost: this.#heedLoss(wait) }
    for await (const frame of followExecutions(connection, source, deadline)) {
      tally.frames++
      if (frame.event_type !== 'progress') return resultOf(frame.data)
      callBack(() => options.onProgress?.(frame.data), options.onError)
    }
    throw new LLMEvalError('interrupted', `${url} ended without a result.`)
  }

  #heedLoss({ tally, options }: Wait): (error: LLMEvalError) => void {
    return (error) => {
      tally.reconnects++
      callSafely(() => options.onError?.(error))
    }
  }

  #eventsUrl(executionId: string): string {
    return this.#connection.url({ route: evaluationRoutes.executionEvents, values: { execution_id: executionId } })
  }
}

const stopped = 'stopped'

function isStop(thrown: unknown): boolean {
  return thrown instanceof LLMEvalError && thrown.failure === stopped
}

/** Whether the server knows no streams of executions, rather than not knowing this execution. */
function isUnknownRoute(error: unknown): boolean {
  if (!(error instanceof LLMEvalError)) return false
  return (error.status === 404 && error.failure !== 'execution_not_found') || error.status === 405
}
