import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { providersFromEnvironment } from '@llm-eval/engine'
import { closest } from '@llm-eval/protocol'
import { type Config, configSchema } from './config.ts'
import { settings } from './names.ts'
import { faultsOf, unknownName } from '../faults/faults.ts'

/** Where settings come from; the first that names one wins: flags, environment, file, defaults. */
export interface ConfigSources {
  /** Values by setting name (`host`, `rate_limits.reads_per_minute`); texts are read as environment variables are. Undefined is not given. */
  flags?: Record<string, unknown>
  env?: NodeJS.ProcessEnv
  /** Where `llm-eval.config.ts` or `.json` is looked for, and what relative paths start from. */
  cwd: string
  /** A configuration file named by the user; it must exist. */
  file?: string
}

/** The effective settings, and for each of them who said so. */
export interface LoadedConfig {
  config: Config
  /** By setting name: `default`, `flag --host`, `environment PORT`, or `file PATH`. */
  origins: Map<string, string>
}

/** Settings that cannot be used. `problems` has a line for each, naming the setting and where it was said. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: string[]

  constructor(problems: string[]) {
    super(`The configuration cannot be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

interface Given {
  value: unknown
  origin: string
}

/** Gathers the settings. Throws a {@link ConfigError} that names every problem at once. */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const problems: string[] = []
  const given = new Map<string, Given>()
  const file = await findFile(sources)
  if (file !== undefined) takeFile(await readConfigFile(file), { file, given, problems })
  takeEnvironment(sources.env ?? {}, { given, problems })
  takeFlags(sources.flags ?? {}, { given, problems })
  takeUsualProviders(sources.env ?? {}, given)

  const parsed = configSchema.safeParse(assemble(given))
  if (!parsed.success) {
    for (const fault of faultsOf(parsed.error.issues, configSchema)) {
      problems.push(`${fault.path} ${fault.message} (${originOf(fault.path, given)})`)
    }
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems)
  const origins = new Map(settings.map(({ name }) => [name, given.get(name)?.origin ?? 'default']))
  // What a file says starts from where the file is.
  const baseOf = (name: string) =>
    file !== undefined && origins.get(name)?.startsWith('file ') ? dirname(file) : sources.cwd
  const data = resolve(baseOf('data'), parsed.data.data)
  const evaluators = parsed.data.evaluators.map((path) => resolve(baseOf('evaluators'), path))
  return { config: { ...parsed.data, data, evaluators }, origins }
}

interface Taking {
  given: Map<string, Given>
  problems: string[]
}

const names = settings.map(({ name }) => name)
const groups = new Set(names.filter((name) => name.includes('.')).map((name) => name.slice(0, name.indexOf('.'))))

function takeFile(content: unknown, { file, given, problems }: Taking & { file: string }): void {
  const origin = `file ${file}`
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    problems.push(`${file} must hold one object`)
    return
  }
  const entries = Object.entries(content).flatMap(([key, value]: [string, unknown]) =>
    groups.has(key) && typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).map(([inner, innerValue]: [string, unknown]) => [`${key}.${inner}`, innerValue] as const)
      : [[key, value] as const],
  )
  for (const [name, value] of entries) {
    if (names.includes(name) || groups.has(name)) given.set(name, { value, origin })
    else problems.push(`${name} ${unknownName(name, names)} (${origin})`)
  }
}

function takeEnvironment(env: NodeJS.ProcessEnv, { given, problems }: Taking): void {
  for (const { name, variables, read } of settings) {
    // An empty variable is one that a compose file left open.
    const variable = variables.find((candidate) => (env[candidate] ?? '').trim() !== '')
    if (variable !== undefined) given.set(name, { value: read(env[variable] ?? ''), origin: `environment ${variable}` })
  }
  const known = settings.map(({ variables }) => (variables[0] ?? '').slice('LLM_EVAL_'.length))
  for (const variable of Object.keys(env)) {
    const suffix = variable.startsWith('LLM_EVAL_') ? variable.slice('LLM_EVAL_'.length) : undefined
    if (suffix === undefined || known.includes(suffix)) continue
    // Clients have variables of that prefix too; only what looks like a mistyped setting is one.
    const meant = known.find((name) => name.startsWith(`${suffix}_`)) ?? closest(suffix, known)
    if (meant !== undefined) problems.push(`${variable} is not known; did you mean LLM_EVAL_${meant}? (environment)`)
  }
}

/** The variables in which vendors want their keys give providers too, beside those that are set up. */
function takeUsualProviders(env: NodeJS.ProcessEnv, given: Map<string, Given>): void {
  const usual = providersFromEnvironment(env)
  const names = Object.keys(usual)
  if (names.length === 0) return
  const { value, origin } = given.get('providers') ?? { value: {}, origin: undefined }
  // What is no object is told as a problem.
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return
  if (names.every((name) => name in value)) return
  const variables = names.map((name) => `${name.toUpperCase()}_*`).join(', ')
  given.set('providers', {
    value: { ...usual, ...value },
    origin: origin === undefined ? `environment ${variables}` : `${origin}, environment ${variables}`,
  })
}

function takeFlags(flags: Record<string, unknown>, { given, problems }: Taking): void {
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined) continue
    const setting = settings.find((candidate) => candidate.name === name)
    const flag = `--${(name.split('.').at(-1) ?? name).replaceAll('_', '-')}`
    if (setting === undefined) problems.push(`${flag} ${unknownName(name, names)} (flag)`)
    else given.set(name, { value: typeof value === 'string' ? setting.read(value) : value, origin: `flag ${flag}` })
  }
}

function assemble(given: Map<string, Given>): Record<string, unknown> {
  const whole: Record<string, unknown> = {}
  for (const [name, { value }] of given) {
    const [group, inner] = name.split('.', 2)
    if (group === undefined) continue
    if (inner === undefined) whole[group] = value
    else whole[group] = { ...(whole[group] as object | undefined), [inner]: value }
  }
  return whole
}

function originOf(path: string, given: Map<string, Given>): string {
  for (const [name, { origin }] of given) {
    if (path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`)) return origin
  }
  return 'default'
}

async function findFile({ cwd, file }: ConfigSources): Promise<string | undefined> {
  if (file !== undefined) return resolve(cwd, file)
  const found = []
  for (const name of ['llm-eval.config.ts', 'llm-eval.config.json']) {
    const path = resolve(cwd, name)
    const stats = await stat(path).catch(() => undefined)
    if (stats?.isFile()) found.push(path)
  }
  if (found.length > 1) throw new ConfigError([`${found.join(' and ')} are both there; keep one`])
  return found[0]
}

async function readConfigFile(path: string): Promise<unknown> {
  try {
    if (!/\.[cm]?[jt]s$/.test(path)) return JSON.parse(await readFile(path, 'utf8')) as unknown
    const loaded: unknown = await import(pathToFileURL(path).href)
    if (typeof loaded === 'object' && loaded !== null && 'default' in loaded) return loaded.default
    throw new Error('it has no default export')
  } catch (error) {
    throw new ConfigError([`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`])
  }
}
