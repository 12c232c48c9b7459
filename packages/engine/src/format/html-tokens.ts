import type { DefaultTreeAdapterTypes } from 'parse5'

type Node = DefaultTreeAdapterTypes.ChildNode

/** Faults that are told at most. */
const most = 20
/** A fragment has no doctype, and white space between its parts is no fault. */
const ofDocuments = new Set(['missing-doctype', 'non-conforming-doctype'])

/** Name and place of what is wrong with a piece of HTML. */
export async function htmlFaults(html: string, { document }: { document: boolean }): Promise<string[]> {
  const { parse, parseFragment } = await import('parse5')
  const faults: string[] = []
  const onParseError = ({ code, startLine, startCol }: { code: string; startLine: number; startCol: number }) => {
    if (faults.length < most && (document || !ofDocuments.has(code)))
      faults.push(`${code} at line ${startLine}, column ${startCol}`)
  }
  const options = { onParseError, sourceCodeLocationInfo: true }
  const tree = document ? parse(html, options) : parseFragment(html, options)
  faults.push(...unclosed(tree.childNodes).slice(0, most - faults.length))
  return faults
}

/** Elements that end without an end tag, where the standard wants one. parse5 closes them without a word. */
function unclosed(nodes: readonly Node[]): string[] {
  const faults: string[] = []
  for (const { node } of walk(nodes)) {
    if (!('tagName' in node)) continue
    const place = node.sourceCodeLocation
    if (!place?.startTag || place.endTag || endless.has(node.tagName) || optionalEnd.has(node.tagName)) continue
    // Elements of SVG and MathML close themselves.
    if (!node.namespaceURI.endsWith('/xhtml')) continue
    faults.push(`${node.tagName} is not closed, at line ${place.startLine}, column ${place.startCol}`)
  }
  return faults
}

/** Tags, attributes and words of a piece of HTML, in their order. */
export async function htmlTokens(html: string): Promise<string[]> {
  const { parseFragment } = await import('parse5')
  const tokens: string[] = []
  for (const { node, leaving } of walk(parseFragment(html).childNodes)) {
    if ('tagName' in node) {
      tokens.push(leaving ? `</${node.tagName}>` : `<${node.tagName}>`)
      if (!leaving)
        tokens.push(
          ...node.attrs
            .map(({ name, value }) => `@${name}=${value.trim().replaceAll(/\s+/g, ' ')}`)
            .sort((a, b) => (a < b ? -1 : 1)),
        )
    } else if (node.nodeName === '#text' && 'value' in node && !leaving)
      tokens.push(...(node.value.match(/\S+/g) ?? []))
  }
  return tokens
}

/** Goes through a tree, each element at its start and at its end. With a stack of its own: HTML may be nested deeply. */
function* walk(nodes: readonly Node[]): Generator<{ node: Node; leaving: boolean }> {
  const open = nodes.map((node) => ({ node, leaving: false })).reverse()
  for (let next = open.pop(); next; next = open.pop()) {
    yield next
    if (next.leaving || !('childNodes' in next.node)) continue
    open.push({ node: next.node, leaving: true })
    const children = 'content' in next.node ? next.node.content.childNodes : next.node.childNodes
    for (const node of [...children].reverse()) open.push({ node, leaving: false })
  }
}

/** Elements that never have an end tag. */
const endless = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '))
/** Elements whose end tag may be left out. */
const optionalEnd = new Set(
  'html head body li dt dd p rt rp optgroup option colgroup caption thead tbody tfoot tr td th'.split(' '),
)
