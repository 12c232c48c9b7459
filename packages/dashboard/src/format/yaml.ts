import { ExactNumber, writeJson } from '../api/exact-json.ts'

/** Words that YAML, in one version or another, takes for something else than text. */
const reserved = /^(true|false|yes|no|on|off|null|y|n|nan|inf)$/i
const plain = /^[A-Za-z][A-Za-z0-9_./-]*$/

/** A JSON value as YAML 1.2. Texts are quoted as in JSON wherever they could be taken for anything else. */
export function writeYaml(value: unknown): string {
  return `${linesOf(value).join('\n')}\n`
}

function linesOf(value: unknown): string[] {
  if (Array.isArray(value) && value.length > 0)
    return value.flatMap((item: unknown) => linesOf(item).map((line, at) => `${at === 0 ? '- ' : '  '}${line}`))
  const entries = entriesOf(value)
  if (entries.length === 0) return [scalar(value)]
  return entries.flatMap(([key, member]) => {
    const lines = linesOf(member)
    const isNested = isCollection(member)
    return isNested ? [`${scalar(key)}:`, ...lines.map((line) => `  ${line}`)] : [`${scalar(key)}: ${lines.join('')}`]
  })
}

function isCollection(value: unknown): boolean {
  return (Array.isArray(value) && value.length > 0) || entriesOf(value).length > 0
}

function entriesOf(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof ExactNumber) return []
  // Undefined members are none, as in JSON.
  return Object.entries(value).filter(([, member]) => member !== undefined)
}

function scalar(value: unknown): string {
  if (typeof value === 'string' && plain.test(value) && !reserved.test(value)) return value
  return writeJson(value, 0)
}
