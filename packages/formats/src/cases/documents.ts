import { limits } from '@llm-eval/protocol'
import { parse as parseToml, TomlError } from 'smol-toml'
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml'

/** A value of a file, with the lines that its parts stand in. */
export interface FileDocument {
  value: unknown
  /** The line of what stands at a path, from 1, or of what is nearest above it; null where the format does not tell. */
  lineOf(path: readonly PropertyKey[]): number | null
}

export interface SyntaxFault {
  message: string
  line: number | null
}

/** Aliases that one document may expand. */
const aliasesMax = 1_000

/** Values and characters that a document may stand for: a few lines can otherwise stand for more than any memory holds. */
const expandedMost = 4 * limits.caseFileBytes

/** Reads the documents of a file of YAML, JSON or TOML, told apart by its name. Never throws. */
export function readDocuments(text: string, file: string): { documents: FileDocument[]; faults: SyntaxFault[] } {
  return file.toLowerCase().endsWith('.toml') ? fromToml(text) : fromYaml(text)
}

/** YAML 1.2 holds JSON; keys that stand twice, which JSON would let pass, are faults in both. */
function fromYaml(text: string): { documents: FileDocument[]; faults: SyntaxFault[] } {
  const lines = new LineCounter()
  const documents: FileDocument[] = []
  const faults: SyntaxFault[] = []
  const parsed = parseAllDocuments(text.replace(/^\uFEFF/, ''), {
    lineCounter: lines,
    merge: true,
    prettyErrors: false,
    // Its own way compares each key with all others.
    uniqueKeys: false,
  })
  for (const document of Array.isArray(parsed) ? parsed : []) {
    for (const { message, pos } of document.errors)
      faults.push({ message: wordsOf(new Error(message)), line: lines.linePos(pos[0]).line })
    if (document.errors.length > 0) continue
    try {
      const twins = twinsIn(document.contents)
      for (const at of twins) faults.push({ message: 'Map keys must be unique', line: lines.linePos(at).line })
      if (twins.length > 0) continue
      if (sizeOf(document.contents, new Map()) > expandedMost) {
        faults.push({
          message: `With its aliases it stands for more than ${expandedMost} values and characters.`,
          line: null,
        })
        continue
      }
      const value: unknown = document.toJS({ maxAliasCount: aliasesMax })
      // What is between two lines of dashes may be empty.
      if (value === null || value === undefined) continue
      if (isTooDeep(value)) faults.push({ message: tooDeep, line: null })
      else documents.push({ value, lineOf: (path) => lineIn(document, { path, lines }) })
    } catch (error) {
      faults.push({ message: wordsOf(error), line: null })
    }
  }
  return { documents, faults: withoutTwins(faults) }
}

const tooDeep = `It is nested deeper than ${limits.agentJsonDepth} levels, or stands for itself.`

/** What cannot be read for its depth is told as that, however a parser says it. */
function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message === 'Maximum call stack size exceeded' ? tooDeep : message
}

function withoutTwins(faults: readonly SyntaxFault[]): SyntaxFault[] {
  return faults.filter(
    ({ message }, index) => message !== tooDeep || faults.findIndex((one) => one.message === message) === index,
  )
}

/** Where keys stand that their map has already. */
function twinsIn(node: unknown): number[] {
  if (isSeq(node)) return node.items.flatMap(twinsIn)
  if (!isMap(node)) return []
  const known = new Set<unknown>()
  return node.items.flatMap(({ key, value }) => {
    const name = isScalar(key) ? key.value : key
    const isTwin = known.has(name) && name !== '<<'
    known.add(name)
    return [...(isTwin && isNode(key) && key.range ? [key.range[0]] : []), ...twinsIn(value)]
  })
}

/** Values and characters of a node, those that its aliases stand for included; `anchors` has the sizes of what came before. */
function sizeOf(node: unknown, anchors: Map<string, number>): number {
  if (isAlias(node)) return anchors.get(node.source) ?? 0
  let size = 1
  if (isMap(node)) for (const { key, value } of node.items) size += sizeOf(key, anchors) + sizeOf(value, anchors)
  else if (isSeq(node)) for (const item of node.items) size += sizeOf(item, anchors)
  else if (isScalar(node) && typeof node.value === 'string') size += node.value.length
  if (isNode(node) && node.anchor !== undefined) anchors.set(node.anchor, size)
  return size
}

/** Whether there are more arrays and objects inside each other than may be, of which one may be inside itself. */
function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value]
  const seen = new Map<object, number>()
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limits.agentJsonDepth) return true
    level = level.flatMap((one) => {
      // What several aliases stand for is walked once on each level.
      if (typeof one !== 'object' || one === null || seen.get(one) === depth) return []
      seen.set(one, depth)
      return Object.values(one)
    })
  }
  return false
}

function lineIn(
  document: Document.Parsed,
  { path, lines }: { path: readonly PropertyKey[]; lines: LineCounter },
): number | null {
  let node: unknown = document.contents
  let offset = isNode(node) ? node.range?.[0] : undefined
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isNode(key) && String(key) === String(step))
      offset = (isNode(pair?.key) ? pair.key.range?.[0] : undefined) ?? offset
      node = pair?.value
    } else if (isSeq(node)) {
      node = node.items[Number(step)]
      offset = (isNode(node) ? node.range?.[0] : undefined) ?? offset
    } else break
  }
  return offset === undefined ? null : lines.linePos(offset).line
}

function fromToml(text: string): { documents: FileDocument[]; faults: SyntaxFault[] } {
  try {
    return { documents: [{ value: plain(parseToml(text)), lineOf: () => null }], faults: [] }
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    return { documents: [], faults: [{ message, line: error instanceof TomlError ? error.line : null }] }
  }
}

/** TOML has dates, which cases know as text. */
function plain(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
}
