import { type AgentDialect, limits } from '@llm-eval/protocol'
import { dialectOf } from './detect.ts'
import { codedEvent, aiSdk } from './dialects/ai-sdk.ts'
import type { AgentEvent, Dialect } from './dialects/dialect.ts'
import { readDocument } from './dialects/document.ts'
import { events } from './dialects/events.ts'
import type { Mapping } from './dialects/mapping.ts'
import { openaiChat } from './dialects/openai-chat.ts'
import { AgentFailed } from './fault.ts'
import { createFraming, type Frame, wordNames } from './frames.ts'
import type { TurnRecorder } from './recorder.ts'
import { record, textIn } from './told.ts'

/** Names of events with which a stream of words ends. */
const endNames = new Set(['done', 'end', 'complete', 'finish', 'close', 'stop', 'message_complete'])

/** Understands an answer while it comes, and tells a recorder. */
export class AnswerReader {
  dialect: AgentDialect | null = null
  readonly #recorder: TurnRecorder
  readonly #mapping: Mapping | undefined
  readonly #framing
  #dialect: Dialect | undefined
  /** Events that came before it was clear whose they are. */
  #held: AgentEvent[] = []
  #events = 0
  /** Words came without any JSON around them: their end is that of the answer. */
  #isWords = false

  constructor({
    contentType,
    mapping,
    recorder,
  }: { contentType: string; mapping: Mapping | undefined; recorder: TurnRecorder }) {
    this.#recorder = recorder
    this.#mapping = mapping
    this.#framing = createFraming(contentType, (frame) => this.#frame(frame))
  }

  /** @throws AgentFailed where the answer is none, or says that the agent failed */
  feed(text: string): void {
    this.#framing.feed(text)
  }

  /** @throws AgentFailed where the end came too early */
  end(): void {
    this.#framing.end()
    if (this.#held.length > 0) this.#decide(events)
    if (this.#isWords) this.#recorder.complete = true
    if (this.dialect === 'mapped') {
      if (!this.#recorder.hasOutput) throw nothingAt(this.#mapping?.paths.output)
      this.#recorder.complete = true
    }
    if (this.#recorder.complete) return
    const message = this.#framing.streamed
      ? 'The stream ended before the agent said that its message is complete. End it with `message_complete`.'
      : 'The answer ended before it was whole.'
    throw new AgentFailed({ code: 'cut_off', message })
  }

  #frame(frame: Frame): void {
    if (frame.kind === 'done') this.#done()
    else if (frame.kind === 'words') this.#words(frame)
    else if (frame.kind === 'text') {
      this.#recorder.setText(frame.text)
      this.#recorder.complete = true
      this.dialect = 'json'
      this.#recorder.warnings.add('The agent answers with plain text: answer {"response": "…"} to tell more.')
    } else if (this.#mapping) {
      this.dialect = 'mapped'
      this.#mapping.read(frame.value, this.#recorder)
    } else if (frame.kind === 'document') this.#document(frame.value)
    else if (frame.kind === 'coded') this.#coded(frame)
    else this.#event(frame)
  }

  #words({ text, name, line }: Extract<Frame, { kind: 'words' }>): void {
    this.#count(line)
    const recorder = this.#recorder
    if (name === 'error')
      throw new AgentFailed({ code: 'agent_error', message: `The agent reported a failure: ${text}` })
    if (name !== null && endNames.has(name)) return this.#done()
    if (name !== null && !wordNames.has(name)) return recorder.note('unknown', `${name}: ${text}`)
    this.#isWords = true
    this.dialect = events.name
    recorder.addText(text)
    recorder.warnings.add(
      'The agent streams plain text: send events such as {"type": "token", "data": {"text": "…"}} to tell more.',
    )
  }

  /** Some that speak OpenAI's chat completions give no reason why they finished. */
  #done(): void {
    if (this.#dialect !== openaiChat && !this.#isWords) return
    this.#recorder.captured.add('output')
    this.#recorder.complete = true
  }

  #document(value: unknown): void {
    const told = record(value)
    const type = told && textIn(told, ['type'])
    // A stream of one event looks like a document.
    if (told && type !== undefined && (told['data'] !== undefined || type === 'message_complete'))
      this.#event({ kind: 'event', value, name: null, line: 1 })
    else this.dialect = readDocument(value, this.#recorder)
  }

  #coded({ code, value, line }: Extract<Frame, { kind: 'coded' }>): void {
    this.#count(line)
    this.#dialect = aiSdk
    this.dialect = aiSdk.name
    aiSdk.event({ ...codedEvent(code, value), line }, this.#recorder)
  }

  #event({ value, name, line }: Extract<Frame, { kind: 'event' }>): void {
    this.#count(line)
    const told = record(value)
    // Anything but an object says nothing that has a name, unless its frame has one.
    const event = told
      ? { type: textIn(told, ['type', 'event']) ?? name ?? '', told, line }
      : { type: name ?? '', told: { data: value }, line }
    if (this.#dialect) return this.#dialect.event(event, this.#recorder)
    this.#held.push(event)
    const dialect = dialectOf(event)
    if (dialect || this.#held.length > 16) this.#decide(dialect ?? events)
  }

  #decide(dialect: Dialect): void {
    this.#dialect = dialect
    this.dialect = dialect.name
    const held = this.#held
    this.#held = []
    for (const event of held) dialect.event(event, this.#recorder)
  }

  #count(line: number): void {
    if (++this.#events <= limits.agentEvents) return
    const message = `The stream has more than ${limits.agentEvents} events. Does the agent loop?`
    throw new AgentFailed({ code: 'too_many_events', message, line })
  }
}

function nothingAt(path: string | undefined): AgentFailed {
  return new AgentFailed({ code: 'unreadable', message: `Nothing in the answer is at ${path} (response.output).` })
}
