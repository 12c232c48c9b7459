import type { ConfigSources } from '@llm-eval/server'
import type { GlobalOptions } from './target.ts'
import type { Terminal } from './terminal.ts'

/** Flags that name settings of the server. */
export interface ServeOptions extends GlobalOptions {
  host?: string
  port?: string
  databaseUrl?: string
  publicUrl?: string
  retentionDays?: string
  logLevel?: string
}

/** Where the server's settings come from, for a command with these flags. */
export function sourcesOf({ env, cwd }: Terminal, options: ServeOptions): ConfigSources {
  const { host, port, data, databaseUrl, publicUrl, retentionDays, logLevel } = options
  const flags = {
    host,
    port,
    data,
    database_url: databaseUrl,
    public_url: publicUrl,
    retention_days: retentionDays,
    log_level: logLevel,
  }
  return { env, cwd, flags, ...(options.config === undefined ? {} : { file: options.config }) }
}
