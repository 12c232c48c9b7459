import type { Field } from '@llm-eval/protocol'

/** One member of a configuration, as far as a form can show it. */
export interface ConfigField {
  name: string
  description: string
  kind: 'text' | 'number' | 'flag' | 'choice' | 'json'
  choices: string[]
  /** As it stands in the form at first. */
  initial: string
}

/** The members of a configuration's JSON Schema as fields of a form; what is nested is typed as JSON. */
export function configFields(schema: Record<string, unknown>): ConfigField[] {
  return Object.entries(asObject(schema['properties'])).map(([name, given]) => {
    const member = plain(asObject(given))
    const type = member['type']
    const choices = Array.isArray(member['enum']) ? member['enum'].map(String) : []
    const kind =
      choices.length > 0
        ? 'choice'
        : type === 'boolean'
          ? 'flag'
          : type === 'number' || type === 'integer'
            ? 'number'
            : type === 'string'
              ? 'text'
              : 'json'
    const fallback = member['default'] ?? asObject(given)['default']
    const description = asObject(given)['description'] ?? member['description']
    return {
      name,
      kind,
      choices,
      description: typeof description === 'string' ? description : '',
      initial: typed(fallback),
    }
  })
}

/** Of `anyOf: [X, null]` the X. */
function plain(schema: Record<string, unknown>): Record<string, unknown> {
  const options = Array.isArray(schema['anyOf']) ? schema['anyOf'].map(asObject) : []
  const real = options.filter((option) => option['type'] !== 'null')
  return options.length > 0 && real.length === 1 && real[0] ? real[0] : schema
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

/** A value as it is typed into a field. */
export function typed(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2)
}

/** What stands in a field of a form, which may be called like a member of every object. */
export function textIn(form: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(form, name) ? form[name] : undefined
}

/** What a form holds, or the fields that cannot be read. Empty fields are absent. */
export type Filled = { values: Record<string, unknown>; faults?: undefined } | { faults: Record<string, string> }

/** Reads the inputs of an evaluator: texts as they stand, the rest as JSON. */
export function readInput(fields: readonly Field[], form: Readonly<Record<string, string>>): Filled {
  const faults: Record<string, string> = {}
  const values: Record<string, unknown> = {}
  for (const { name, type, required } of fields) {
    const text = textIn(form, name) ?? ''
    if (text === '') {
      if (required && type !== 'string' && type !== 'any') faults[name] = 'is needed'
      else if (required) values[name] = ''
      continue
    }
    if (type === 'string' || type === 'enum') values[name] = text
    else {
      const parsed = parse(text)
      if (parsed !== undefined) values[name] = parsed
      // Anything may also be a text.
      else if (type === 'any') values[name] = text
      else faults[name] = `is not ${type === 'array' || type === 'object' ? 'JSON' : `a ${type}`}`
    }
  }
  return Object.keys(faults).length > 0 ? { faults } : { values }
}

/** Reads a configuration. */
export function readConfig(fields: readonly ConfigField[], form: Readonly<Record<string, string>>): Filled {
  const faults: Record<string, string> = {}
  const values: Record<string, unknown> = {}
  for (const { name, kind } of fields) {
    const whole = textIn(form, name) ?? ''
    const text = whole.trim()
    if (text === '') continue
    if (kind === 'text' || kind === 'choice') values[name] = whole
    else {
      const parsed = parse(text)
      if (parsed === undefined) faults[name] = kind === 'number' ? 'is not a number' : 'is not JSON'
      else values[name] = parsed
    }
  }
  return Object.keys(faults).length > 0 ? { faults } : { values }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
