import { isObject } from '@llm-eval/protocol'
import { Ajv } from 'ajv'

/** The shape that an answer is to have. */
export interface Shape {
  schema: Record<string, unknown>
  /** Whether it keeps to what strict structured output can do: every member required, and no others. */
  strict: boolean
  /** The object inside a text if it fits, or what is wrong with it. */
  read(text: string): { value: Record<string, unknown> } | { wrong: string }
}

/** Shapes of the schemas that are in use, compiled once each. */
export function createShapes(most = 500): (schema: Record<string, unknown>) => Shape {
  const shapes = new Map<string, Shape>()
  return (schema) => {
    const key = JSON.stringify(schema)
    const shape = shapes.get(key) ?? compile(schema)
    shapes.delete(key)
    shapes.set(key, shape)
    for (const oldest of shapes.keys()) {
      if (shapes.size <= most) break
      shapes.delete(oldest)
    }
    return shape
  }
}

function compile(schema: Record<string, unknown>): Shape {
  const ajv = new Ajv({ strict: false, allErrors: false })
  const fits = ajv.compile(schema)
  return {
    schema,
    strict: isStrict(schema),
    read(text) {
      const found = objectIn(text)
      if (typeof found === 'string') return { wrong: found }
      return fits(found) ? { value: found } : { wrong: ajv.errorsText(fits.errors, { dataVar: 'answer' }) }
    },
  }
}

function isStrict(schema: unknown): boolean {
  if (!isObject(schema)) return true
  if (schema['type'] === undefined && schema['enum'] === undefined) return false
  if (schema['type'] === 'array') return isObject(schema['items']) && isStrict(schema['items'])
  if (schema['type'] !== 'object') return true
  const { properties, required, additionalProperties } = schema
  if (!isObject(properties) || additionalProperties !== false || !Array.isArray(required)) return false
  return Object.keys(properties).every((name) => required.includes(name)) && Object.values(properties).every(isStrict)
}

/**
 * The one JSON object of a text: the whole of it, the one in its fence, or the only one in its prose. Where there are several,
 * one of them may be a quotation of what is judged: none is taken.
 */
function objectIn(text: string): Record<string, unknown> | string {
  const whole = parsed(text)
  if (isObject(whole)) return whole
  const fences = [...text.matchAll(/```(?:json)?\s*\n([^]*?)\n\s*```/gi)].map(([, inner]) => parsed(inner ?? ''))
  const fenced = fences.filter(isObject)
  if (fenced.length === 1 && fenced[0]) return fenced[0]
  const found = fenced.length > 1 ? fenced : balanced(text).map(parsed).filter(isObject)
  if (found.length > 1) return 'it holds several JSON objects'
  return found[0] ?? 'it is no JSON object'
}

/** The parts of a text between braces that belong together, outermost only. */
function balanced(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    // Quotation marks in prose say nothing; those within braces hide the braces between them.
    if (depth > 0 && quoted && char === '\\') i++
    else if (depth > 0 && char === '"') quoted = !quoted
    else if (!quoted && char === '{' && depth++ === 0) start = i
    else if (!quoted && char === '}' && depth > 0 && --depth === 0) parts.push(text.slice(start, i + 1))
  }
  return parts
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
