/** Names of fields whose values are secrets. */
const secretName =
  /^(authorization|proxy-authorization|cookie|set-cookie)$|pass(word|phrase)|secret|credential|api[-_]?key|private[-_]?key|(access|auth|refresh|id|bearer|session|csrf)[-_]?token|^token$/i

/** Texts that are secrets wherever they stand: keys of providers, tokens, and what is called one. */
const secretTexts = [
  /\b(?:sk|pk|rk)[-_](?:[A-Za-z0-9]+[-_])*[A-Za-z0-9_-]{16,}/g,
  /\bgh[opusr]_[A-Za-z0-9]{20,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bxox[abeprs]-[A-Za-z0-9-]{10,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{12,}/gi,
]
const assigned = /\b((?:api[-_ ]?key|password|secret|access[-_ ]?token)\s*[:=]\s*)("[^"]*"|'[^']*'|\S+)/gi

const removed = '[removed]'

/** A text without what looks like a secret. */
export function withoutSecrets(text: string): string {
  return secretTexts
    .reduce((rest, pattern) => rest.replace(pattern, removed), text)
    .replace(assigned, (_all, name: string) => `${name}${removed}`)
}

/** A value of JSON without members that are called like secrets, and without texts that look like one. */
export function valueWithoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return withoutSecrets(value)
  if (typeof value !== 'object' || value === null) return value
  // Deeper than anybody writes by hand.
  if (depth > 20) return null
  if (Array.isArray(value)) return value.map((one) => valueWithoutSecrets(one, depth + 1))
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !secretName.test(name))
      .map(([name, one]) => [name, valueWithoutSecrets(one, depth + 1)]),
  )
}
