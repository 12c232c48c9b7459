import { closest } from '@llm-eval/protocol'

/** At most this many unknown fields are named one by one. */
const maxNamed = 10

/** Tells the sender which fields we do not know, which known one each resembles, and what became of them (`fate`). */
export function unknownFieldWarnings(names: readonly string[], known: readonly string[], fate: string): string[] {
  const warnings = names.slice(0, maxNamed).map((name) => {
    const meant = suggestion(name, known)
    return `unknown field ${shown(name)} is ${fate}${meant === undefined ? '' : `; did you mean ${meant}?`}`
  })
  if (names.length > maxNamed) warnings.push(`${names.length - maxNamed} more unknown fields are ${fate}`)
  return warnings
}

/** Comparing words costs more than reading a trace, so only names of about the same length are compared. */
function suggestion(name: string, known: readonly string[]): string | undefined {
  return closest(
    name,
    known.filter((field) => Math.abs(field.length - name.length) <= 2),
  )
}

function shown(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)
}
