import { limits } from '@llm-eval/protocol'
import { AgentFailed } from './fault.ts'
import type { AnswerReader } from './read.ts'
import type { TurnRecorder } from './recorder.ts'

/** What an answer is read with. */
interface Reading {
  reader: AnswerReader
  recorder: TurnRecorder
  signal: AbortSignal
  url: string
}

/**
 * Reads an answer to its end, or to where it breaks.
 *
 * @throws AgentFailed where it is no whole answer, and the signal's reason when it is aborted
 */
export async function readAnswer(answer: Response, { reader, recorder, signal, url }: Reading): Promise<void> {
  const chunks = answer.body?.getReader()
  const decode = strictDecoder()
  const closing = new Closing(recorder)
  let bytes = 0
  try {
    for (;;) {
      const next = chunks?.read() ?? null
      const chunk = await (recorder.complete ? Promise.race([next, closing.time]) : next)
      if (chunk === null || chunk.done) break
      bytes += chunk.value.byteLength
      if (bytes > limits.agentAnswerBytes) throw tooLarge()
      const { text, isWhole } = decode(chunk.value)
      reader.feed(text)
      if (!isWhole) throw notUtf8()
    }
    const { text, isWhole } = decode()
    reader.feed(text)
    if (!isWhole) throw notUtf8()
    reader.end()
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof AgentFailed ? error : cutOff(error, url)
  } finally {
    closing[Symbol.dispose]()
    // Whatever else the agent would say is not listened to.
    chunks?.cancel().catch(() => undefined)
  }
}

/** Once the message is complete only a moment is waited for more, such as its usage: some agents never close. */
class Closing {
  readonly #recorder: TurnRecorder
  #timer: NodeJS.Timeout | undefined
  #time: Promise<null> | undefined

  constructor(recorder: TurnRecorder) {
    this.#recorder = recorder
  }

  /** Over when that moment is, however much comes until then: beats may go on for ever. */
  get time(): Promise<null> {
    this.#time ??= new Promise((resolve) => {
      this.#timer = setTimeout(() => {
        this.#recorder.warnings.add('The agent did not close its stream after `message_complete`: end the response.')
        resolve(null)
      }, limits.agentCloseMs)
    })
    return this.#time
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}

/** Decodes UTF-8 in pieces; without bytes it is told that this was all. Of a piece that is none, what came before the fault. */
function strictDecoder(): (bytes?: Uint8Array) => { text: string; isWhole: boolean } {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  return (bytes) => {
    try {
      return { text: decoder.decode(bytes, { stream: bytes !== undefined }), isWhole: true }
    } catch {
      const [text = ''] = new TextDecoder().decode(bytes).split('\ufffd', 1)
      return { text, isWhole: false }
    }
  }
}

function notUtf8(): AgentFailed {
  const message = 'The answer is no valid UTF-8. Send text as UTF-8, and do not cut characters in two.'
  return new AgentFailed({ code: 'invalid_encoding', message })
}

function tooLarge(): AgentFailed {
  return new AgentFailed({ code: 'too_large', message: `The answer is larger than ${limits.agentAnswerBytes} bytes.` })
}

function cutOff(error: unknown, url: string): AgentFailed {
  const reason = error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : ''
  const message = `${new URL(url).host} broke off in the middle of its answer: ${reason || 'the connection was lost'}.`
  return new AgentFailed({ code: 'cut_off', message })
}
