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
    if (document || !ofDocuments.has(code)) faults.push(`${code} at line ${startLine}, column ${startCol}`)
  }
  const options = { onParseError, sourceCodeLocationInfo: true }
  const whole = document || /^\s*<(?:!doctype|html)\b/i.test(html)
  const tree = whole ? parse(html, options) : parseFragment(html, options)
  // parse5 closes what is open, and passes over what closes nothing, without a word.
  const elements = elementsOf(tree.childNodes)
  const found = [...faults, ...crowdedTables(tree.childNodes), ...unclosed(elements)]
  return [...found, ...(await strayEndTags(html, elements))].slice(0, most)
}

/** Tables with content that the parser moved to before them: it was written later than the tag of the table. */
function crowdedTables(nodes: readonly Node[]): string[] {
  const found: string[] = []
  let latest = 0
  for (const { node, leaving } of walk(nodes)) {
    const location = node.sourceCodeLocation
    if (leaving || !location) continue
    if (node.nodeName === 'table' && location.startOffset < latest)
      found.push(`table holds what no table may, at line ${location.startLine}, column ${location.startCol}`)
    // A text takes in what is moved to behind it.
    latest = Math.max(latest, node.nodeName === '#text' ? location.endOffset - 1 : location.startOffset)
  }
  return found
}

interface Element {
  name: string
  start: number
  place: string
  /** Where its end tag begins; undefined where it has none. */
  end: number | undefined
  needsEnd: boolean
}

/** Elements that were written down, in their order; what the parser repeats (formatting that overlaps) is one. */
function elementsOf(nodes: readonly Node[]): Element[] {
  const elements = new Map<number, Element>()
  for (const { node, leaving } of walk(nodes)) {
    if (leaving || !('tagName' in node)) continue
    const location = node.sourceCodeLocation
    if (!location) continue
    const { startOffset: start, startLine, startCol } = location
    // Elements of SVG and MathML close themselves.
    const needsEnd =
      location.startTag !== undefined && node.namespaceURI.endsWith('/xhtml') && !endless.has(node.tagName)
    elements.set(start, {
      name: node.tagName,
      start,
      place: `line ${startLine}, column ${startCol}`,
      end: location.endTag?.startOffset ?? elements.get(start)?.end,
      needsEnd: needsEnd && !optionalEnd.has(node.tagName),
    })
  }
  return [...elements.values()]
}

function unclosed(elements: readonly Element[]): string[] {
  return elements
    .filter(({ end, needsEnd }) => needsEnd && end === undefined)
    .map(({ name, place }) => `${name} is not closed, at ${place}`)
}

async function strayEndTags(html: string, elements: readonly Element[]): Promise<string[]> {
  const used = new Set(elements.map(({ end }) => end))
  return (await endTags(html))
    .filter(({ start }) => !used.has(start))
    .map(({ name, place }) => `${name} is closed and not open, at ${place}`)
}

/** Every end tag that is written down. */
async function endTags(html: string): Promise<{ name: string; start: number; place: string }[]> {
  const { Tokenizer, TokenizerMode } = await import('parse5')
  const found: { name: string; start: number; place: string }[] = []
  const nothing = () => undefined
  const tokenizer = new Tokenizer(
    { sourceCodeLocationInfo: true },
    {
      onStartTag({ tagName }) {
        tokenizer.lastStartTagName = tagName
        // What is inside of these is no HTML.
        if (tagName === 'title' || tagName === 'textarea') tokenizer.state = TokenizerMode.RCDATA
        else if (tagName === 'script') tokenizer.state = TokenizerMode.SCRIPT_DATA
        else if (rawText.has(tagName)) tokenizer.state = TokenizerMode.RAWTEXT
      },
      onEndTag({ tagName, location }) {
        if (location)
          found.push({
            name: tagName,
            start: location.startOffset,
            place: `line ${location.startLine}, column ${location.startCol}`,
          })
      },
      onComment: nothing,
      onDoctype: nothing,
      onEof: nothing,
      onCharacter: nothing,
      onNullCharacter: nothing,
      onWhitespaceCharacter: nothing,
    },
  )
  tokenizer.write(html, true)
  return found
}

const rawText = new Set(['style', 'xmp', 'iframe', 'noembed', 'noframes'])

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
