import { settings } from './names.ts'
import type { LoadedConfig } from './sources.ts'

/** One line of `llm-eval config`. */
export interface ShownSetting {
  name: string
  /** As JSON text, with secrets masked. */
  value: string
  origin: string
}

const masked = '********'

/** The effective settings in a form that can be shown to anybody who may start the server. */
export function showConfig({ config, origins }: LoadedConfig): ShownSetting[] {
  return settings.map(({ name }) => ({
    name,
    value: JSON.stringify(mask(name, valueAt(config, name))),
    origin: origins.get(name) ?? 'default',
  }))
}

function mask(name: string, value: unknown): unknown {
  if (value === null) return null
  if (name === 'admin_key') return masked
  if (name === 'providers' && typeof value === 'object') {
    const masking = ([provider, settings]: [string, object]) => [provider, { ...settings, ...maskKey(settings) }]
    return Object.fromEntries(Object.entries(value).map(masking))
  }
  if (name === 'targets' && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([target, settings]: [string, object]) => [target, maskTarget(settings)]),
    )
  }
  if (name === 'webhook_secrets' && Array.isArray(value)) {
    return value.map((secret: object) => ({ ...secret, secret: masked }))
  }
  return name === 'database_url' && typeof value === 'string' ? maskPassword(value) : value
}

function maskKey(settings: object): object {
  return 'api_key' in settings && settings.api_key !== null ? { api_key: masked } : {}
}

/** Headers may be keys, and so may a name and password in an address. */
function maskTarget(settings: object): object {
  const { url, headers } = { url: '', headers: {}, ...settings }
  return {
    ...settings,
    url: URL.canParse(url) ? maskPassword(url) : url,
    headers: Object.fromEntries(Object.keys(headers).map((header) => [header, masked])),
  }
}

/** A database URL without its password, for logs. */
export function maskPassword(url: string): string {
  const parsed = URL.parse(url)
  if (parsed === null) return masked
  if (parsed.password !== '') parsed.password = masked
  for (const key of Array.from(parsed.searchParams.keys())) {
    if (/password|sslkey/i.test(key)) parsed.searchParams.set(key, masked)
  }
  return parsed.href
}

function valueAt(config: object, name: string): unknown {
  let value: unknown = config
  for (const part of name.split('.')) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[part] : undefined
  }
  return value
}
