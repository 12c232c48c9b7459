// Reads TypeScript as far as the floors check needs it: what is code, and what it imports.

/**
 * The code alone: comments become spaces, and the insides of strings, templates and regular expressions become `_`,
 * so that every character keeps its place.
 *
 * @param {string} text
 */
export function codeOf(text) {
  const code = text.split('')
  /** @param {number} from @param {number} to @param {string} by */
  const replace = (from, to, by) => {
    for (let at = from; at < to; at += 1) if (code[at] !== '\n') code[at] = by
  }
  /** The depth of braces at which each open template goes on. @type {number[]} */
  const templates = []
  let depth = 0
  let at = 0
  while (at < text.length) {
    const char = text[at]
    const inTemplate = char === '}' && templates.at(-1) === depth
    let end = at + 1
    if (text.startsWith('//', at)) {
      end = endOr(text, '\n', at)
      replace(at, end, ' ')
    } else if (text.startsWith('/*', at)) {
      end = endOr(text, '*/', at + 2) + 2
      replace(at, end, ' ')
    } else if (char === "'" || char === '"') {
      end = closing(text, at, char)
      replace(at + 1, end - 1, '_')
    } else if (char === '/' && startsPattern(code, at) && text[at + 1] !== '>') {
      end = closing(text, at, '/')
      replace(at + 1, end - 1, '_')
    } else if (char === '`' || inTemplate) {
      if (inTemplate) templates.pop()
      const { stop, opens } = templatePart(text, at + 1)
      replace(at + 1, opens ? stop - 2 : stop - 1, '_')
      if (opens) templates.push(depth)
      end = stop
    } else if (char === '{') depth += 1
    else if (char === '}') depth -= 1
    at = end
  }
  return code.join('')
}

/** @param {string} text @param {string} mark @param {number} from */
function endOr(text, mark, from) {
  const found = text.indexOf(mark, from)
  return found === -1 ? text.length : found
}

/**
 * @param {string} text
 * @param {number} start of a string or regular expression
 * @param {string} mark that closes it
 * @returns {number} the place after its end; the next place if it does not end on its line, as an apostrophe in JSX text
 */
function closing(text, start, mark) {
  let inClass = false
  for (let at = start + 1; at < text.length && text[at] !== '\n'; at += 1) {
    if (text[at] === '\\') at += 1
    else if (mark === '/' && text[at] === '[') inClass = true
    else if (mark === '/' && text[at] === ']') inClass = false
    else if (text[at] === mark && !inClass) return at + 1
  }
  return start + 1
}

/** @param {string} text @param {number} start @returns {{ stop: number, opens: boolean }} after the closing ` or, if it opens an expression, after `${` */
function templatePart(text, start) {
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '`') return { stop: at + 1, opens: false }
    else if (text.startsWith('${', at)) return { stop: at + 2, opens: true }
  }
  return { stop: text.length, opens: false }
}

/** @param {string[]} code so far @param {number} at a slash @returns {boolean} whether a regular expression may begin there */
function startsPattern(code, at) {
  const before = code
    .slice(Math.max(0, at - 40), at)
    .join('')
    .trimEnd()
  return (
    before === '' ||
    /[(,=:[!&|?{};+*%>~^-]$|\b(return|typeof|case|in|of|do|else|void|delete|throw|await|yield)$/.test(before)
  )
}

/** Ways to name another module, as they look in code of which the strings are masked. */
const references = [
  /\b(?:import|export)\s[^'"`;=()]*?\bfrom\s*(['"])_*\1/g,
  /\bimport\s*(['"])_*\1/g,
  /\b(?:import|require)\s*\(\s*(['"])_*\1/g,
]

/**
 * @param {string} text
 * @param {string} code of that text
 * @returns {{ specifier: string, line: number }[]} what it imports, types included
 */
export function importsOf(text, code) {
  return references.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => {
      const end = match.index + match[0].length - 1
      const start = code.lastIndexOf(/** @type {string} */ (match[1]), end - 1)
      return { specifier: text.slice(start + 1, end), line: lineOf(text, start) }
    }),
  )
}

/** @param {string} text @param {number} at @returns {number} counted from 1 */
export function lineOf(text, at) {
  return text.slice(0, at).split('\n').length
}
