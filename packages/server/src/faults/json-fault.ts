/**
 * Says where a text stops being JSON, and what is wrong there. The engine's own messages name no position in half of the
 * cases and quote the text in others. Keeps the open brackets on a list, not on the stack.
 */
export function locateJsonFault(text: string): string {
  const open: ('{' | '[')[] = []
  let at = 0
  // What may come next: a value, the first key or the end of an object, and so on.
  let expects: Expects = 'value'

  for (;;) {
    at = skipSpace(text, at)
    if (at >= text.length) {
      if (expects === 'end') return 'no fault was found'
      return at === 0 ? 'it is empty' : `it ends too early${place(text, text.length)}`
    }
    const step = stepAt(text, at, { expects, inside: open.at(-1) })
    if (typeof step === 'string') return `${step}${place(text, at)}`
    if (step.fault) return `${step.fault}${place(text, step.to)}`
    if (step.opens) open.push(step.opens)
    if (step.closes) open.pop()
    at = step.to
    expects = step.next === 'after' && open.length === 0 ? 'end' : step.next
  }
}

type Expects = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'after' | 'end'
interface Step {
  to: number
  next: Expects
  opens?: '{' | '['
  closes?: true
  fault?: string
}
interface Here {
  expects: Expects
  inside: '{' | '[' | undefined
}

function stepAt(text: string, at: number, { expects, inside }: Here): Step | string {
  const char = text.charAt(at)
  switch (expects) {
    case 'end':
      return 'there is more after the document'
    case 'colon':
      return char === ':' ? { to: at + 1, next: 'value' } : 'a colon is missing'
    case 'after':
      if (char === ',') return { to: at + 1, next: inside === '{' ? 'key' : 'value' }
      if (char === (inside === '{' ? '}' : ']')) return { to: at + 1, next: 'after', closes: true }
      return `a comma or ${inside === '{' ? '}' : ']'} is missing`
    case 'key':
    case 'key or }':
      if (char === '}' && expects === 'key or }') return { to: at + 1, next: 'after', closes: true }
      return char === '"' ? stringStep(text, at, 'colon') : 'a key in double quotes is missing'
    case 'value or ]':
      if (char === ']') return { to: at + 1, next: 'after', closes: true }
      return valueStep(text, at)
    case 'value':
      return valueStep(text, at)
  }
}

function valueStep(text: string, at: number): Step | string {
  const char = text.charAt(at)
  if (char === '{') return { to: at + 1, next: 'key or }', opens: '{' }
  if (char === '[') return { to: at + 1, next: 'value or ]', opens: '[' }
  if (char === '"') return stringStep(text, at, 'after')
  for (const word of ['true', 'false', 'null']) {
    if (text.startsWith(word, at)) return { to: at + word.length, next: 'after' }
  }
  const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
  number.lastIndex = at
  return number.test(text) ? { to: number.lastIndex, next: 'after' } : 'a value is missing'
}

function stringStep(text: string, at: number, next: Expects): Step {
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 34) return { to: i + 1, next }
    if (code < 32) return { to: i, next, fault: 'a control character stands unescaped in a string' }
    if (code !== 92) continue
    const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
    escape.lastIndex = i
    if (!escape.test(text)) {
      const cut = text.length - i < 6 && /^\\(u[0-9a-fA-F]*)?$/.test(text.slice(i))
      return cut
        ? { to: text.length, next, fault: 'a string is not closed' }
        : { to: i, next, fault: 'a string holds an unknown escape' }
    }
    i = escape.lastIndex - 1
  }
  return { to: text.length, next, fault: 'a string is not closed' }
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at++
  return at
}

function place(text: string, at: number): string {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  return ` at position ${at} (line ${line}, column ${at - before.lastIndexOf('\n')})`
}
