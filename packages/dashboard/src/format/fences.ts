/** A stretch of plain text, or of code between fences. */
export type TextPart = { kind: 'text'; text: string } | { kind: 'code'; text: string; language: string }

const fence = /^ {0,3}```[ \t]*([\w+#.-]{0,30})[ \t]*$/

/** Splits a text at its ``` fences. A fence that is never closed is plain text, so nothing of the text gets lost. */
export function splitFences(text: string): TextPart[] {
  if (!text.includes('```')) return text === '' ? [] : [{ kind: 'text', text }]
  const parts: TextPart[] = []
  let plain: string[] = []
  let code: { lines: string[]; opening: string; language: string } | null = null
  const endPlain = (): void => {
    const joined = plain.join('\n')
    if (joined.trim() !== '') parts.push({ kind: 'text', text: joined })
    plain = []
  }
  for (const line of text.split('\n')) {
    const match = fence.exec(line)
    if (code && match && match[1] === '') {
      endPlain()
      parts.push({ kind: 'code', text: code.lines.join('\n'), language: code.language })
      code = null
    } else if (code) code.lines.push(line)
    else if (match) code = { lines: [], opening: line, language: match[1] ?? '' }
    else plain.push(line)
  }
  if (code) plain.push(code.opening, ...code.lines)
  endPlain()
  return parts
}
