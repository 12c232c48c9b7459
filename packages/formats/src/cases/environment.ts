/** Environment variables in the texts of a file: `${NAME}`, `${NAME:-otherwise}`; `$${` stands for itself. */
const place = /\$(\$?)\{([A-Za-z_]\w{0,199})(?::-([^}]*))?\}/g

/** Text in which every place is filled, and the names that stand for nothing, each with the path to where. */
export function withEnvironment(
  value: unknown,
  env: Readonly<Record<string, string | undefined>>,
): { value: unknown; missing: { name: string; path: PropertyKey[] }[] } {
  const missing: { name: string; path: PropertyKey[] }[] = []
  const filled = (at: unknown, path: PropertyKey[]): unknown => {
    if (typeof at === 'string') {
      return at.replace(place, (all: string, ...[escaped, name, otherwise]: [string, string, string?]) => {
        if (escaped !== '') return all.slice(1)
        const found = (Object.hasOwn(env, name) ? env[name] : undefined) ?? otherwise
        if (found === undefined) missing.push({ name, path })
        return found ?? all
      })
    }
    if (Array.isArray(at)) return at.map((one, index) => filled(one, [...path, index]))
    if (typeof at !== 'object' || at === null) return at
    return Object.fromEntries(Object.entries(at).map(([key, one]) => [key, filled(one, [...path, key])]))
  }
  return { value: filled(value, []), missing }
}

const variable = /\$\{[A-Za-z_]\w{0,199}(?::-[^}]*)?\}/g

/** Text that says this again once its places are filled. */
export function withoutPlaces(text: string): string {
  return text.replace(variable, (all) => `$${all}`)
}
