/** A response of Node's `http`, of Express, or `reply.raw` of Fastify. */
export interface NodeResponse {
  readonly headersSent: boolean
  readonly writableEnded: boolean
  readonly destroyed: boolean
  setHeader(name: string, value: string): unknown
  flushHeaders?(): void
  write(chunk: string): boolean
  end(): unknown
  once(event: 'drain' | 'close', listener: () => void): unknown
}

/** Tokens of one call of a model. */
export interface TokenUsage {
  input_tokens: number
  output_tokens: number
  /** Part of the input. */
  cached_tokens?: number | undefined
  /** As its price list names it; without it, and without `cost`, the cost is unknown. */
  model?: string | undefined
  /** US dollars. */
  cost?: number | undefined
}

export interface ToolCallOptions {
  /** Ties a result to its call where several are under way; `tool` numbers them by itself. */
  id?: string | undefined
}

export interface ToolResult extends ToolCallOptions {
  result?: unknown
  /** True when absent, unless there is an error. */
  success?: boolean | undefined
  error?: string | undefined
}

export interface CompleteOptions {
  session_id?: string | undefined
  metadata?: Record<string, unknown> | undefined
}

/**
 * What an agent does, told while it does it: level 3 of the seed's events, one line of JSON each. Each method resolves when the
 * reader has room again, so that an agent cannot write faster than it is read; none throws when the reader is gone: see `signal`.
 */
export interface AgentStream {
  /** Aborted when nobody reads any more: stop working then. */
  readonly signal: AbortSignal
  toolCall(name: string, args?: Record<string, unknown>, options?: ToolCallOptions): Promise<void>
  toolResult(result: ToolResult): Promise<void>
  /** Tells the call, runs it, and tells its result or its failure, which is thrown on. */
  tool<Result>(
    name: string,
    args: Record<string, unknown>,
    run: (signal: AbortSignal) => Promise<Result> | Result,
  ): Promise<Result>
  /** A word about a step; with the tool that it is about. */
  narrate(text: string, toolName?: string): Promise<void>
  usage(usage: TokenUsage): Promise<void>
  status(text: string): Promise<void>
  /** A piece of the answer. */
  token(text: string): Promise<void>
  /** The whole answer; the last thing but usage that an agent says. Without words it is the tokens before it. */
  complete(content?: string, options?: CompleteOptions): Promise<void>
  /** Says that the agent failed, in place of `complete`. Only the message is told. */
  fail(error: unknown): Promise<void>
  /** Ends the response. A stream that was neither completed nor failed says that it broke off. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Does the work of an agent. What it returns is the answer, unless it completed the stream itself. */
export type AgentHandler = (stream: AgentStream) => Promise<string | void> | string | void

/** Where lines go. */
interface Sink {
  readonly signal: AbortSignal
  /** Resolves when there is room for more. */
  write(line: string): Promise<void>
  end(): void
}

/**
 * Streams what an agent does over a response of Node, Express or Fastify (`reply.hijack()` and `reply.raw`). Close it in the end,
 * whatever happened: `await using stream = agentStream(res)` does.
 */
export function agentStream(response: NodeResponse): AgentStream {
  if (!response.headersSent) for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  // Who waits for the first event sees at once that somebody is there.
  response.flushHeaders?.()
  const gone = new AbortController()
  const drained = new Set<() => void>()
  const wake = () => {
    for (const resolve of drained) resolve()
    drained.clear()
  }
  const isOver = () => response.writableEnded || response.destroyed
  response.once('close', () => {
    gone.abort(new Error('The reader of the agent is gone.'))
    wake()
  })
  return streamTo({
    signal: gone.signal,
    async write(line) {
      if (isOver() || response.write(line)) return
      const isFirst = drained.size === 0
      const room = new Promise<void>((resolve) => drained.add(resolve))
      if (isFirst) response.once('drain', wake)
      await room
    },
    end: () => void (isOver() || response.end()),
  })
}

/** Streams what an agent does as a web `Response`: for Next.js route handlers, Hono, Deno, Bun and workers. It closes itself. */
export function agentResponse(handler: AgentHandler): Response {
  const gone = new AbortController()
  const encoder = new TextEncoder()
  let wake = () => {}
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const stream = streamTo({
        signal: gone.signal,
        async write(line) {
          if (gone.signal.aborted) return
          controller.enqueue(encoder.encode(line))
          if ((controller.desiredSize ?? 1) > 0) return
          await new Promise<void>((resolve) => {
            const before = wake
            wake = () => {
              before()
              resolve()
            }
          })
        },
        end: () => void (gone.signal.aborted || controller.close()),
      })
      void serve(stream, handler)
    },
    pull: () => {
      const woken = wake
      wake = () => {}
      woken()
    },
    cancel: () => {
      gone.abort(new Error('The reader of the agent is gone.'))
      wake()
    },
  })
  return new Response(body, { headers })
}

const headers = {
  'content-type': 'application/x-ndjson; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // Proxies such as nginx would otherwise hand the events on in one piece.
  'x-accel-buffering': 'no',
}

async function serve(stream: AgentStream, handler: AgentHandler): Promise<void> {
  try {
    const answer = await handler(stream)
    if (typeof answer === 'string') await stream.complete(answer)
  } catch (error) {
    await stream.fail(error)
  } finally {
    await stream.close()
  }
}

function streamTo(sink: Sink): AgentStream {
  let outcome: 'open' | 'told' | 'closed' = 'open'
  let calls = 0
  const send = async (type: string, data: Record<string, unknown>) => {
    if (outcome !== 'closed') await sink.write(`${jsonOf({ type, data })}\n`)
  }
  const stream: AgentStream = {
    signal: sink.signal,
    toolCall: (name, args = {}, { id } = {}) => send('tool_call', { id, name, args }),
    toolResult: ({ id, result = null, error, success = error === undefined }) =>
      send('tool_result', { id, result, success, error: error ?? null }),
    async tool(name, args, run) {
      const id = `call-${++calls}`
      await stream.toolCall(name, args, { id })
      try {
        const result = await run(sink.signal)
        await stream.toolResult({ id, result })
        return result
      } catch (error) {
        await stream.toolResult({ id, error: messageOf(error) })
        throw error
      }
    },
    narrate: (text, toolName) => send('step_narration', { text, toolName }),
    usage: (usage) => send('usage', { ...usage }),
    status: (text) => send('status', { text }),
    token: (token) => send('token', { token }),
    async complete(content, options = {}) {
      if (outcome !== 'open') return
      outcome = 'told'
      await send('message_complete', { content, ...options })
    },
    async fail(error) {
      if (outcome !== 'open') return
      outcome = 'told'
      await send('error', { message: messageOf(error) })
    },
    async close() {
      if (outcome === 'open') await stream.fail('The agent ended without an answer.')
      if (outcome === 'closed') return
      outcome = 'closed'
      sink.end()
    },
    [Symbol.asyncDispose]: () => stream.close(),
  }
  return stream
}

/** What cannot be said in JSON is named instead: an agent must not fail for what it tells. */
function jsonOf(event: { type: string; data: Record<string, unknown> }): string {
  try {
    return JSON.stringify(event)
  } catch {
    const data = Object.entries(event.data).map(([key, value]) => {
      try {
        return [key, JSON.parse(JSON.stringify(value) ?? 'null') as unknown]
      } catch {
        return [key, '[not JSON]']
      }
    })
    return JSON.stringify({ type: event.type, data: Object.fromEntries(data) as unknown })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : typeof error === 'string' ? error : 'The agent failed.'
}
