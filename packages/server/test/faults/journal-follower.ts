import { get, type IncomingMessage } from 'node:http'
import { createSseDecoder, parseCursor, routes, type StreamFrame } from '@llm-eval/protocol'

/**
 * A client that follows the journal over any number of connections and servers' lives, each time from its last cursor on,
 * and looks for gaps and repeats.
 */
export class JournalFollower {
  /** Everything that a follower must never see. */
  readonly faults: string[] = []
  /** What each event told of, by its sequence number. */
  readonly told = new Map<number, string>()
  /** Times that `trace_updates` told of a trace as new. */
  readonly created = new Map<string, number>()
  readonly reviewed = new Map<string, string>()
  #cursor: string | undefined
  #seq = 0
  #waiting: { seq: number; resolve: () => void }[] = []

  /** The last sequence number seen. */
  get seq(): number {
    return this.#seq
  }

  /** Opens a connection that resumes where the last one ended. Resolves when it is greeted. */
  async connect(url: string): Promise<{ ended: Promise<void>; end(): void }> {
    const { promise: ended, resolve: over } = Promise.withResolvers<void>()
    const { promise: greeted, resolve: greet, reject } = Promise.withResolvers<void>()
    const resumes = this.#cursor !== undefined
    const headers = this.#cursor === undefined ? {} : { 'last-event-id': this.#cursor }
    const request = get(`${url}${routes.streamEvents.path}`, { headers, agent: false }, (answer) => {
      this.#read(answer, { resumes, greet })
      answer.once('close', over)
    })
    request.once('error', (error) => {
      reject(error)
      over()
    })
    await greeted
    return { ended, end: () => request.destroy() }
  }

  /** Resolves when this sequence number was seen. */
  reached(seq: number): Promise<void> {
    if (this.#seq >= seq) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ seq, resolve }))
  }

  #read(answer: IncomingMessage, { resumes, greet }: { resumes: boolean; greet: () => void }): void {
    const decoder = createSseDecoder({
      onMessage: ({ id, data }) => {
        const frame = JSON.parse(data) as StreamFrame
        if (frame.event === 'connected') {
          // Whoever names a cursor starts there, not at the head.
          if (resumes && id !== this.#cursor) this.faults.push(`resumed at ${id} instead of ${this.#cursor}`)
          if (!resumes) this.#move(id)
          greet()
        } else if (frame.event === 'resync_required') this.faults.push(`was told to start over: ${data}`)
        else this.#event(id, frame)
      },
      onId: (id) => {
        if (parseCursor(id)?.seq !== this.#seq) this.faults.push(`a heartbeat moved from ${this.#seq} to ${id}`)
      },
    })
    answer.setEncoding('utf8')
    answer.on('error', () => undefined)
    answer.on('data', (text: string) => decoder.feed(text))
  }

  #event(id: string, frame: StreamFrame): void {
    const seq = parseCursor(id)?.seq
    if (seq === undefined || seq !== this.#seq + 1) this.faults.push(`event ${id} came after ${this.#seq}`)
    this.#move(id)
    if (frame.event === 'trace_updates' && frame.data.action === 'new_trace') {
      const traceId = frame.data.trace_id ?? '(deleted)'
      this.created.set(traceId, (this.created.get(traceId) ?? 0) + 1)
      this.told.set(this.#seq, `created ${traceId}`)
    } else if (frame.event === 'evaluation_updates') {
      this.reviewed.set(frame.data.trace_id ?? '(deleted)', frame.data.status)
      this.told.set(this.#seq, `reviewed ${frame.data.trace_id}`)
    }
    if (this.#waiting.length === 0) return
    for (const waiting of this.#waiting.filter(({ seq: wanted }) => wanted <= this.#seq)) waiting.resolve()
    this.#waiting = this.#waiting.filter(({ seq: wanted }) => wanted > this.#seq)
  }

  #move(id: string): void {
    this.#cursor = id
    this.#seq = parseCursor(id)?.seq ?? this.#seq
  }
}

/** Sequence number of the newest event. */
export async function headOf(url: string): Promise<number> {
  const follower = new JournalFollower()
  const connection = await follower.connect(url)
  connection.end()
  await connection.ended
  return follower.seq
}
