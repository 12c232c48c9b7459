import { limits } from '@llm-eval/protocol'

/** The lines of a file as it is read, whatever its size: a line that is too long is cut, so that memory is bounded. */
export async function* logLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let parts: string[] = []
  let chars = 0
  for await (const chunk of bytes) {
    const text = decoder.decode(chunk, { stream: true })
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      yield chars === 0 ? text.slice(start, end) : `${parts.join('')}${text.slice(start, end)}`
      parts = []
      chars = 0
      start = end + 1
    }
    const rest = text.slice(start, start + limits.logLineChars - chars)
    if (rest !== '') parts.push(rest)
    chars += rest.length
  }
  const last = `${parts.join('')}${decoder.decode()}`
  if (last !== '') yield last
}
