import { expect } from 'vitest'
import type { Block } from './markdown.ts'

/** Holds an answer that a page shows against the one that came. `…` stands for anything. */
export function expectAnswer(shown: Block, came: string): void {
  if (shown.language === 'json') expect(lastJson(came)).toMatchObject(pattern(JSON.parse(shown.code)) as object)
  else expectLines(shown.code, came)
}

/** The answer of the last command of a block: what stands before it is its headers, or other answers. */
function lastJson(came: string): unknown {
  const lines = came.trimEnd().split(/\r?\n/)
  for (let from = lines.length - 1; from >= 0; from--) {
    try {
      return JSON.parse(lines.slice(from).join('\n'))
    } catch {
      // It began further up.
    }
  }
  throw new Error(`no JSON came: ${came}`)
}

function pattern(shown: unknown): unknown {
  if (shown === '…') return expect.anything()
  if (Array.isArray(shown)) return shown.map(pattern)
  if (typeof shown !== 'object' || shown === null) return shown
  return Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, pattern(value)]))
}

/** The lines that are shown come in this order; others may stand between them. */
function expectLines(shown: string, came: string): void {
  let rest = came
  for (const line of shown.split('\n').filter((text) => text.trim() !== '' && text.trim() !== '…')) {
    const parts = line
      .trim()
      .split('…')
      .map((part) =>
        part
          .trim()
          .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
          .replace(/\s+/g, '\\s+'),
      )
    const match = new RegExp(parts.join('.*')).exec(rest)
    expect(match, `${JSON.stringify(line)} in:\n${came}`).not.toBeNull()
    rest = rest.slice((match?.index ?? 0) + (match?.[0].length ?? 0))
  }
}
