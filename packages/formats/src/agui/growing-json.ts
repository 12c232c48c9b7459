import { isObject, limits } from '@llm-eval/protocol'

/** A value that is still growing, for the order of its keys; null where nothing stands inside. */
type Grown = Map<string, Grown> | Grown[] | null
type Path = (string | number)[]

/**
 * The text of a JSON object that grows with the pieces of it that ADK streams (`PartialArg` of google-genai: a path of RFC 9535 and
 * a value). It only ever gets longer: whatever may still go on is left open. A piece that changes what was said, or that says
 * nothing certain, ends the growing.
 */
export class GrowingJson {
  #text = ''
  readonly #value = new Map<string, Grown>()
  /** Where the last value stands: all around it is open. */
  #last: Path = []
  #isInText = false
  #isStopped = false

  /** As far as it goes. */
  get text(): string {
    return this.#text
  }

  /** What a piece adds to the text. Its costs are those of the piece: what was said before is not read again. */
  add(piece: unknown): string {
    if (this.#isStopped) return ''
    const added = isObject(piece) ? this.#take(pathOf(piece['jsonPath']), valueOf(piece)) : undefined
    if (added === undefined) this.stop()
    else this.#text += added
    return added ?? ''
  }

  /** Nothing is added any more. */
  stop(): void {
    this.#isStopped = true
  }

  /** The text of the whole, with its keys in the order in which they were said; undefined where what was said is no beginning of it. */
  whole(value: Readonly<Record<string, unknown>>): string | undefined {
    const text = inOrder(value, this.#value)
    return text.startsWith(this.#text) ? text : undefined
  }

  /** What a value adds; undefined where it changes what was said, or says nothing certain. */
  #take(path: Path | undefined, value: string | number | boolean | null | undefined): string | undefined {
    if (path === undefined || value === undefined) return undefined
    const shared = sharedSteps(path, this.#last)
    const told = typeof value === 'string' ? JSON.stringify(value).slice(0, -1) : JSON.stringify(value)
    const isSame = shared === path.length && shared === this.#last.length
    if (isSame && (!this.#isInText || typeof value !== 'string')) return undefined
    const between = isSame ? '' : this.#between(path, shared)
    if (between === undefined) return undefined
    this.#last = path
    this.#isInText = typeof value === 'string'
    return isSame ? told.slice(1) : between + told
  }

  /** What stands between the last value and one of another path: ends of what it stood in, keys, and beginnings. */
  #between(path: Path, shared: number): string | undefined {
    if (shared === path.length || (this.#text !== '' && shared === this.#last.length)) return undefined
    const ends = this.#last.slice(shared + 1).map((step) => (typeof step === 'number' ? ']' : '}'))
    let text = this.#text === '' ? '{' : (this.#isInText ? '"' : '') + ends.toReversed().join('')
    let inside: Grown = this.#value
    for (const step of path.slice(0, shared)) inside = childOf(inside, step) ?? null
    for (const [at, step] of path.entries()) {
      if (at < shared) continue
      const next = path[at + 1]
      const child: Grown = next === undefined ? null : typeof next === 'number' ? [] : new Map()
      const begun = begin(inside, step, child)
      if (begun === undefined) return undefined
      text += begun + (child === null ? '' : typeof next === 'number' ? '[' : '{')
      inside = child
    }
    return text
  }
}

/** Puts something new at the end of a value, and gives what comes before it; undefined where it is not the end. */
function begin(inside: Grown, step: string | number, child: Grown): string | undefined {
  if (Array.isArray(inside)) {
    if (step !== inside.length) return undefined
    inside.push(child)
    return step === 0 ? '' : ','
  }
  if (inside === null || typeof step !== 'string' || inside.has(step)) return undefined
  inside.set(step, child)
  return `${inside.size === 1 ? '' : ','}${JSON.stringify(step)}:`
}

function childOf(inside: Grown, step: string | number): Grown | undefined {
  if (Array.isArray(inside)) return typeof step === 'number' ? inside[step] : undefined
  return typeof step === 'string' ? inside?.get(step) : undefined
}

/** JSON as `JSON.stringify` writes it, but for the order of keys: those of `like` come first. */
function inOrder(value: unknown, like: Grown | undefined): string {
  if (Array.isArray(value)) {
    const items = value.map((one: unknown, at) => inOrder(one, Array.isArray(like) ? like[at] : null))
    return `[${items.join(',')}]`
  }
  if (!isObject(value) || !(like instanceof Map)) return JSON.stringify(value)
  const said = [...like.keys()].filter((key) => Object.hasOwn(value, key))
  const others = Object.keys(value).filter((key) => !like.has(key))
  const members = [...said, ...others].map((key) => `${JSON.stringify(key)}:${inOrder(value[key], like.get(key))}`)
  return `{${members.join(',')}}`
}

function sharedSteps(path: Path, other: Path): number {
  const at = path.findIndex((step, index) => step !== other[index])
  return at < 0 ? path.length : at
}

const steps = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/gsy
const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }

/** The steps of a path from `$`; undefined where it is none that leads to one place, or deeper than values may be. */
function pathOf(text: unknown): Path | undefined {
  if (typeof text !== 'string' || !text.startsWith('$') || !text.isWellFormed()) return undefined
  const found = [...text.slice(1).matchAll(steps)]
  if (found.length === 0 || found.length > limits.agentJsonDepth) return undefined
  if (found.map(([step]) => step).join('') !== text.slice(1)) return undefined
  const path = found.map(([, name, index, quoted = '', doubly = '']): string | number => {
    if (index !== undefined) return Number(index)
    return name ?? (quoted || doubly).replace(/\\(.)/gs, (_, escaped: string) => escapes[escaped] ?? escaped)
  })
  return path.includes('*') ? undefined : path
}

/** The value of a piece. A large integer is not sure to be told as it is; a piece without a value may be any that is empty. */
function valueOf(piece: Record<string, unknown>): string | number | boolean | null | undefined {
  const { stringValue, numberValue, boolValue, nullValue } = piece
  if (typeof stringValue === 'string') return stringValue.isWellFormed() ? stringValue : undefined
  if (typeof numberValue === 'number') return Math.abs(numberValue) < Number.MAX_SAFE_INTEGER ? numberValue : undefined
  if (typeof boolValue === 'boolean') return boolValue
  return nullValue === undefined || nullValue === null ? undefined : null
}
