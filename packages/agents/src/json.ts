import { limits } from '@llm-eval/protocol'

/** The value that a text is the JSON of; undefined where it is none, or is nested too deep. */
export function parsedJson(text: string): unknown {
  if (isTooDeep(text)) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/**
 * Whether a JSON text holds more arrays and objects inside each other than `limits.agentJsonDepth`. `JSON.parse` takes any depth,
 * and whatever walks the value later, `JSON.stringify` too, breaks down on it.
 */
export function isTooDeep(text: string): boolean {
  const most = limits.agentJsonDepth
  // Each level takes two characters.
  if (text.length <= most * 2) return false
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = endOfString(text, at)
    else if (code === brace || code === bracket) {
      if (++depth > most) return true
    } else if (code === brace + 2 || code === bracket + 2) depth--
  }
  return false
}

const [quote, backslash, bracket, brace] = [0x22, 0x5c, 0x5b, 0x7b]

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return end
  }
  return text.length
}
