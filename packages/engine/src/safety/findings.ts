/** Something that was found in a text. Never the text itself: what was found must not end up in a score. */
export interface Finding {
  /** What it is, such as `email`. */
  type: string
  /** UTF-16 units from the start of the text. */
  start: number
  end: number
  /** How sure it is, in 0 to 1. */
  confidence: number
}

/** What a kind of finding looks like. */
export interface Pattern {
  type: string
  /** With the flag `g`. Must not backtrack: texts may be long and hostile. */
  expression: RegExp
  confidence: number
  /** Whether what looks like it is it. Gets the first group of the expression, or all of the match. */
  holds?: (found: string) => boolean
}

/** Findings that are told at most. */
const most = 100

/** Everything that fits a pattern, in the order of the text; of findings that overlap the surest stays. */
export function findAll(text: string, patterns: readonly Pattern[]): Finding[] {
  const all = patterns.flatMap((pattern) => findingsOf(text, pattern))
  all.sort((a, b) => b.confidence - a.confidence || a.start - b.start)
  const kept: Finding[] = []
  for (const finding of all) {
    if (kept.length === most) break
    if (!kept.some(({ start, end }) => finding.start < end && start < finding.end)) kept.push(finding)
  }
  return kept.sort((a, b) => a.start - b.start)
}

function findingsOf(text: string, { type, expression, confidence, holds }: Pattern): Finding[] {
  const findings: Finding[] = []
  for (const match of text.matchAll(expression)) {
    const found = match[1] ?? match[0]
    if (holds && !holds(found)) continue
    const start = match.index + match[0].lastIndexOf(found)
    findings.push({ type, start, end: start + found.length, confidence })
    if (findings.length === most) break
  }
  return findings
}

/** `2 emails, 1 iban`. */
export function summary(findings: readonly Finding[]): string {
  const counts = new Map<string, number>()
  for (const { type } of findings) counts.set(type, (counts.get(type) ?? 0) + 1)
  return [...counts].map(([type, count]) => `${count} × ${type}`).join(', ')
}
