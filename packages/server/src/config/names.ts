/** A setting as it is named in flags, the environment and files, and how its text becomes a value. */
export interface Setting {
  /** Its path in the configuration file. */
  name: string
  /** Environment variables that set it, the stronger first. */
  variables: string[]
  read: (text: string) => unknown
}

const own = (name: string) => `LLM_EVAL_${name.toUpperCase()}`
const text = (given: string) => given
/** What is no number stays a text, and the schema says so. */
const number = (given: string) => (/^-?[0-9]+(\.[0-9]+)?$/.test(given.trim()) ? Number(given) : given)
const numberOrNone = (given: string) => (/^(none|never|null)$/i.test(given.trim()) ? null : number(given))
/** What is neither stays a text, and the schema says so. */
const yesOrNo = (given: string) => {
  if (/^(true|yes|1)$/i.test(given.trim())) return true
  return /^(false|no|0)$/i.test(given.trim()) ? false : given
}
const json = (given: string): unknown => {
  try {
    return JSON.parse(given)
  } catch {
    return given
  }
}
const list = (given: string) =>
  given
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
const secrets = (given: string) =>
  list(given).map((part) => {
    const match = /^(.+)@([0-9]{4}-[0-9]{2}-[0-9]{2}T[^@]+)$/.exec(part)
    return match ? { secret: match[1], expires_at: match[2] } : { secret: part }
  })

const setting = (name: string, read: Setting['read'] = text, extra: string[] = []): Setting => ({
  name,
  variables: [own(name.split('.').at(-1) ?? name), ...extra],
  read,
})

/** Every setting, in the order in which it is shown. */
export const settings: readonly Setting[] = [
  setting('host', text, ['HOST']),
  setting('port', number, ['PORT']),
  setting('data'),
  setting('database_url', text, ['DATABASE_URL']),
  setting('pool_size', number),
  setting('public_url'),
  setting('allowed_hosts', list),
  setting('trusted_proxies', list),
  setting('cors_origins', list),
  // `SECRET`, or `SECRET@2030-01-01T00:00:00Z` for one that ends; several parted by commas.
  setting('webhook_secrets', secrets, ['WEBHOOK_SECRET']),
  setting('admin_key'),
  setting('rate_limits.traces_per_minute', number),
  setting('rate_limits.reads_per_minute', number),
  setting('rate_limits.streams_per_minute', number),
  setting('retention_days', numberOrNone),
  setting('event_retention_days', number),
  setting('log_level'),
  setting('synchronous'),
  setting('heartbeat_seconds', number),
  setting('providers', json),
  setting('default_model'),
  setting('embedding_model'),
  setting('prices', json),
  setting('evaluators', list),
  setting('allow_private_evaluators', yesOrNo),
  setting('judge_concurrency', number),
  setting('targets', json),
  setting('redact', json),
]
