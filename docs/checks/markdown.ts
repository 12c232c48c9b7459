// Reads the pages of this folder as far as their tests need it.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Every page of the documentation, as paths from the repository. */
export function pages(): string[] {
  return readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path))
    .sort()
}

/** The text of a file of the repository. */
export function text(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** A fenced block. */
export interface Block {
  language: string
  /** What follows the language on the line of the fence. */
  marks: string[]
  code: string
  /** Of its fence, from 1. */
  line: number
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = []
  let open: Block | undefined
  for (const [index, line] of page.split('\n').entries()) {
    if (open && line.trimEnd() === '```') {
      blocks.push(open)
      open = undefined
    } else if (open) open.code += `${line}\n`
    else if (line.startsWith('```')) {
      const [language = '', ...marks] = line.slice(3).trim().split(' ')
      open = { language, marks, code: '', line: index + 1 }
    }
  }
  if (open) throw new Error(`the block that begins in line ${open.line} is never closed`)
  return blocks
}

/** A page without its fenced blocks. */
export function proseOf(page: string): string {
  return page.replace(/^```[^]*?^```$/gm, '')
}

/** What stands between backticks in the prose of a page. */
export function codeWordsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/`([^`\n]+)`/g)].map(([, word]) => word ?? '')
}

/** The anchors of a page's headings, as they are made of their text. */
export function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading ?? ''))
}

function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
    .replaceAll(' ', '-')
}

/** A link to another place of the repository. */
export interface Link {
  /** From the repository; '' is the page itself. */
  path: string
  anchor: string | undefined
}

/** The links of a page that do not leave the repository. */
export function linksOf(path: string): Link[] {
  const found = [...proseOf(text(path)).matchAll(/\]\((?!\w+:)([^)\s]*)\)/g)].map(([, target]) => target ?? '')
  return found.map((target) => {
    const [file = '', anchor] = target.split('#', 2)
    return { path: file === '' ? path : relative(root, join(root, path, '..', file)), anchor }
  })
}
