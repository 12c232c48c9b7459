import { parse as parseToml, TomlError } from 'smol-toml'
import { type Document, isAlias, isMap, isNode, isSeq, LineCounter, parseAllDocuments } from 'yaml'

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

/** Aliases that one document may expand: a few lines can otherwise stand for more than any memory holds. */
const aliasesMax = 1_000

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
  })
  for (const document of Array.isArray(parsed) ? parsed : []) {
    for (const { message, pos } of document.errors) faults.push({ message, line: lines.linePos(pos[0]).line })
    if (document.errors.length > 0) continue
    try {
      const value: unknown = document.toJS({ maxAliasCount: aliasesMax })
      // What is between two lines of dashes may be empty.
      if (value !== null && value !== undefined)
        documents.push({ value, lineOf: (path) => lineIn(document, { path, lines }) })
    } catch (error) {
      faults.push({ message: error instanceof Error ? error.message : String(error), line: null })
    }
  }
  return { documents, faults }
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
