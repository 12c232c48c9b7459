// The members of JSON objects as texts: numbers keep their digits, and large values are not taken apart.

const quote = 34
const backslash = 92

/** The members of a JSON object by name, each value as the text it is. The text must be JSON. */
export function membersOf(text: string): Map<string, string> {
  const members = new Map<string, string>()
  let at = text.indexOf('{') + 1
  for (;;) {
    at = text.indexOf('"', at)
    if (at < 0) return members
    const keyEnd = stringEnd(text, at)
    const name = JSON.parse(text.slice(at, keyEnd)) as string
    const start = text.indexOf(':', keyEnd) + 1
    at = valueEnd(text, start)
    members.set(name, text.slice(start, at).trim())
  }
}

/** A JSON object of these members. */
export function objectOf(members: Iterable<readonly [name: string, text: string]>): string {
  return `{${[...members].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`
}

/** Behind the closing quote of the string that begins at `at`. */
function stringEnd(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes++
    if (escapes % 2 === 0) return end + 1
  }
  return text.length
}

/** Where the value that begins at `at` is over: at the comma or bracket behind it. */
function valueEnd(text: string, at: number): number {
  let depth = 0
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === quote) {
      i = stringEnd(text, i) - 1
      continue
    }
    const char = text.charAt(i)
    if (depth === 0 && (char === ',' || char === '}')) return i
    if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') depth--
  }
  return text.length
}
