import { evaluationRoutes, type EvaluatorInfo, type Execution } from '@llm-eval/protocol'
import type { CallOptions, Connection } from './connection.ts'

/** Whether to wait for the end. */
export interface WaitChoice extends CallOptions {
  /** Wait until it is over, however long that takes; true if absent. */
  wait?: boolean | undefined
}

/** What may go with the input of an execution. */
export interface ExecuteOptions extends WaitChoice {
  /** Laid over the evaluator's own configuration. */
  config?: Record<string, unknown> | undefined
  /** A version of the evaluator; the newest if absent. */
  version?: string | undefined
  /** A stored trace: the input is laid over what it gives, and the score stays on it. */
  traceId?: string | undefined
}

/** An evaluator and how it is to be. */
export interface EvaluatorChoice {
  slug: string
  /** Laid over the evaluator's own configuration. */
  config?: Record<string, unknown> | undefined
}

/** Seconds that one request waits for an end; shorter than what proxies and our own time limit allow. */
const waitSeconds = 20

/** Asks for evaluations. */
export class EvaluationCalls {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async list(options: CallOptions): Promise<EvaluatorInfo[]> {
    const { items } = await this.#connection.ask<{ items: EvaluatorInfo[] }>({
      route: evaluationRoutes.listEvaluators,
      signal: options.signal,
    })
    return items
  }

  async execute(slug: string, input: Record<string, unknown>, options: ExecuteOptions): Promise<Execution> {
    const { config, version, traceId: trace_id, wait = true, signal } = options
    const execution = await this.#connection.ask<Execution>({
      route: evaluationRoutes.executeEvaluator,
      values: { slug },
      body: JSON.stringify({ input, config, version, trace_id, wait: wait ? waitSeconds : 0 }),
      signal,
    })
    return wait ? await this.#untilOver(execution, signal) : execution
  }

  async runOnTrace(
    traceId: string,
    evaluators: readonly (string | EvaluatorChoice)[],
    options: WaitChoice,
  ): Promise<Execution[]> {
    const { wait = true, signal } = options
    const chosen = evaluators.map((one) => (typeof one === 'string' ? { slug: one } : one))
    const { executions } = await this.#connection.ask<{ executions: Execution[] }>({
      route: evaluationRoutes.evaluateTrace,
      values: { trace_id: traceId },
      body: JSON.stringify({ evaluators: chosen, wait: wait ? waitSeconds : 0 }),
      signal,
    })
    return wait ? await Promise.all(executions.map((one) => this.#untilOver(one, signal))) : executions
  }

  async get(executionId: string, { signal }: CallOptions): Promise<Execution> {
    const values = { execution_id: executionId }
    return await this.#connection.ask<Execution>({ route: evaluationRoutes.getExecution, values, signal })
  }

  async cancel(executionId: string, { signal }: CallOptions): Promise<Execution> {
    const values = { execution_id: executionId }
    return await this.#connection.ask<Execution>({ route: evaluationRoutes.cancelExecution, values, signal })
  }

  async #untilOver(execution: Execution, signal: AbortSignal | undefined): Promise<Execution> {
    let now = execution
    while (now.status === 'queued' || now.status === 'running') {
      now = await this.#connection.ask<Execution>({
        route: evaluationRoutes.getExecution,
        values: { execution_id: now.execution_id },
        query: { wait: `${waitSeconds}` },
        signal,
      })
    }
    return now
  }
}
