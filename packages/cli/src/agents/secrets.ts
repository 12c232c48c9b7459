import type { AgentSettings } from '@llm-eval/formats'
import type { TestCase } from '@llm-eval/protocol'

/** Names of variables, headers and parameters whose values are secrets. */
const secretName =
  /(^|[_-])(keys?|auth|authorization|pass|pwd|sid|session)([_-]|$)|key$|token|secret|passw|passphrase|credential|cookie/i

/** Places of files that stand for an environment variable. */
const variable = /\$\{([A-Za-z_]\w{0,199})|\{\{\s*env\.(\w{1,200})\s*\}\}/g

/** Shorter ones are words that answers hold anyhow. */
const leastChars = 6

/** Values of environment variables that a file names and that are called like secrets. */
export function secretsNamedIn(text: string, env: NodeJS.ProcessEnv): string[] {
  const names = new Set([...text.matchAll(variable)].map(([, shell, place]) => shell ?? place ?? ''))
  return [...names].flatMap((name) => (secretName.test(name) && Object.hasOwn(env, name) ? (env[name] ?? []) : []))
}

/** Keys that an agent is asked with, whether they stand in the settings as they are or come from the environment. */
export function secretsOf({
  url,
  headers = {},
}: {
  url?: string | undefined
  headers?: Readonly<Record<string, string>> | undefined
}): string[] {
  const told = Object.entries(headers)
    .filter(([name]) => secretName.test(name))
    .flatMap(([, value]) => [value, ...value.split(/[\s;,]+/).map((part) => part.slice(part.indexOf('=') + 1))])
  const address = url === undefined ? null : URL.parse(url)
  if (address === null) return told
  const { username, password, searchParams } = address
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const parameters = [...searchParams].flatMap(([name, value]) => (secretName.test(name) ? [value] : []))
  const signedIn = password === '' ? [] : [decodeURIComponent(password), Buffer.from(credentials).toString('base64')]
  return [...told, ...parameters, ...signedIn]
}

/** The same of all that cases and settings say of their agents. */
export function secretsOfSuite({ agent }: AgentSettings, cases: readonly TestCase[]): string[] {
  const own = cases.flatMap((one) => secretsOf({ url: one.agent.endpoint ?? undefined, headers: one.agent.headers }))
  return [...secretsOf(agent ?? {}), ...own]
}

/** Takes secrets out of whatever is told: a value without them, in texts and in the names of members. */
export function hiding(secrets: readonly string[]): <T>(value: T) => T {
  const forms = secrets.flatMap((one) => [one, encodeURIComponent(one), JSON.stringify(one).slice(1, -1)])
  // Longer ones first: one may be part of another.
  const all = [...new Set(forms)].filter(({ length }) => length >= leastChars).toSorted((a, b) => b.length - a.length)
  const hidden = (text: string): string => {
    let open = text
    for (const secret of all) open = open.replaceAll(secret, '•••')
    return all.reduce(withoutBeginning, open)
  }
  const walked = (value: unknown, member: Member): unknown => {
    if (typeof value === 'string') return hidden(value)
    if (Array.isArray(value)) return value.map((one) => walked(one, member))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, one]) => member(name, one)))
  }
  const ofOurs: Member = (name, one) => [
    name,
    ours.has(name) ? one : walked(one, foreign.has(name) ? ofOthers : ofOurs),
  ]
  const ofOthers: Member = (name, one) => [hidden(name), walked(one, ofOthers)]
  // Only texts change, and those with which anything is told apart stay as they are.
  return (value) => (all.length === 0 ? value : (walked(value, ofOurs) as typeof value))
}

/** What becomes of a member of an object. */
type Member = (name: string, value: unknown) => [name: string, value: unknown]

/** Members whose texts are words of ours, and those that hold whatever an agent or a case says. */
const ours = new Set(['outcome', 'kind', 'code', 'dialect', 'captured', 'cost_source', 'severity', 'reason', 'shape'])
const foreign = new Set(['args', 'result', 'expected', 'actual'])

/** Texts are cut at limits, and a secret with them. */
function withoutBeginning(text: string, secret: string): string {
  const [, end = '', mark = ''] = /^([^]*?)(…?)$/.exec(text.slice(-secret.length)) ?? []
  for (let length = Math.min(end.length, secret.length - 1); length >= leastChars; length--)
    if (end.endsWith(secret.slice(0, length))) return `${text.slice(0, text.length - mark.length - length)}•••${mark}`
  return text
}

/** An address as it may be shown: without credentials and parameters. */
export function shownAddress(url: string): string {
  const address = URL.parse(url)
  return address === null ? url : address.origin + address.pathname
}
