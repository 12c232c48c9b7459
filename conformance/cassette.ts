/** What a client asked, and what it was answered. Bodies are JSON values, or text where they are no JSON. */
export interface Exchange {
  request: { method: string; path: string; headers: Record<string, string>; body: unknown }
  response: { status: number; type: string; body: unknown }
}

/** The traffic of a real client. */
export interface Cassette {
  /** One sentence. */
  about: string
  client: string
  exchanges: Exchange[]
  /** What the provider of its models answered the server meanwhile; nothing if absent. */
  models?: Exchange['response'][]
}

// Ids, and versions of evaluators.
const id =
  /\b(?:ds|row|exp|run|task|evl|ann|exe)_[0-9a-f]{12,}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{16}\b/g
const time = /\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g

/** Exchanges in which each id and time is a name: `{{id 1}}` for the first id, and the same wherever it comes again. */
export function normalised(exchanges: readonly Exchange[]): Exchange[] {
  const names = new Map<string, string>()
  const rename = (text: string) =>
    text
      .replace(id, (found) => {
        const name = names.get(found) ?? `{{id ${names.size + 1}}}`
        names.set(found, name)
        return name
      })
      .replace(time, '{{time}}')
  const inside = (_key: string, value: unknown) => (typeof value === 'string' ? rename(value) : value)
  return JSON.parse(JSON.stringify(exchanges), inside) as Exchange[]
}
