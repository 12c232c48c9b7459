/** What the places of a template stand for. `env` holds what may be named, and nothing else of the process is reached. */
export type Places = Readonly<Record<string, unknown>> & { readonly env: Readonly<Record<string, string | undefined>> }

const place = /\{\{\s*([\w.-]{1,200})\s*\}\}/g
const onlyPlace = /^\{\{\s*([\w.-]{1,200})\s*\}\}$/

/** A place of a template that stands for nothing. */
export class UnknownPlace extends Error {
  override readonly name = 'UnknownPlace'
}

/** Fills the places of a JSON value, however deep they stand. Keys stay as they are. */
export function fillValue(template: unknown, places: Places): unknown {
  if (typeof template === 'string') {
    const only = onlyPlace.exec(template)?.[1]
    return only === undefined ? fillText(template, places) : found(only, places)
  }
  if (Array.isArray(template)) return template.map((entry) => fillValue(entry, places))
  if (typeof template !== 'object' || template === null) return template
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, fillValue(value, places)]))
}

/** Fills the places of a text; values that are no text are written as JSON. */
export function fillText(template: string, places: Places): string {
  return template.replace(place, (_all, path: string) => {
    const value = found(path, places)
    return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value)
  })
}

function found(path: string, places: Places): unknown {
  let at: unknown = places
  for (const step of path.split('.')) {
    const holds = typeof at === 'object' && at !== null && Object.hasOwn(at, step)
    at = holds ? (at as Record<string, unknown>)[step] : undefined
    if (at === undefined) throw new UnknownPlace(missing(path, places))
    if (at === null) return null
  }
  return at
}

function missing(path: string, places: Places): string {
  if (path.startsWith('env.')) return `{{${path}}} stands for an environment variable that is not set.`
  return `{{${path}}} stands for nothing: there are ${Object.keys(places).join(', ')} and env.NAME.`
}
