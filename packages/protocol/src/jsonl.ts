/** One line of a JSON Lines text: its number, counted from 1, and either the value or what is wrong with it. */
export type JsonLine =
  | { line: number; value: unknown; error?: undefined }
  | { line: number; value?: undefined; error: string }

/**
 * Decodes JSON Lines chunk by chunk. Empty lines are passed over; a line that is not JSON is reported, and the next one goes on.
 *
 * @param maxChars a longer line is reported as an error, and dropped up to its end
 */
export async function* decodeJsonLines(
  chunks: AsyncIterable<string>,
  maxChars = 8 * 1024 * 1024,
): AsyncGenerator<JsonLine> {
  let parts: string[] = []
  let chars = 0
  let number = 1
  let tooLong = false

  function finish(): JsonLine | undefined {
    const text = parts.join('').trim()
    const result: JsonLine | undefined = tooLong
      ? { line: number, error: `the line is longer than ${maxChars} characters` }
      : text === ''
        ? undefined
        : parseLine(text, number)
    parts = []
    chars = 0
    tooLong = false
    number++
    return result
  }

  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      take(chunk.slice(start, end))
      const result = finish()
      if (result) yield result
      start = end + 1
    }
    take(chunk.slice(start))
  }
  const last = finish()
  if (last) yield last

  function take(part: string): void {
    chars += part.length
    if (chars > maxChars) {
      tooLong = true
      parts = []
    } else if (part) parts.push(part)
  }
}

function parseLine(text: string, line: number): JsonLine {
  try {
    return { line, value: JSON.parse(text) as unknown }
  } catch (error) {
    return { line, error: error instanceof Error ? error.message : String(error) }
  }
}
