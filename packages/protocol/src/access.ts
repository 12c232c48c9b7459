/** What a key may do. `admin` includes the others. */
export const scopes = ['ingest', 'read', 'write', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** An API key as it is listed. The key itself is shown once, when it is made. */
export interface ApiKey {
  id: string
  name: string
  project: string
  scopes: Scope[]
  /** The first characters, to recognise it by. */
  prefix: string
  created_at: string
  expires_at: string | null
  revoked_at: string | null
  /** Kept to the minute. */
  last_used_at: string | null
}

/** Answer of `POST /api/v1/keys`. */
export interface CreatedKey extends ApiKey {
  key: string
}

/** Answer of `GET /api/v1/session`: who the caller is. */
export interface SessionInfo {
  authenticated: boolean
  /** False on a loopback server without keys: everything is allowed and nobody signs in. */
  auth_required: boolean
  name: string | null
  project: string
  scopes: Scope[]
}

/** Answer of `GET /api/v1/settings`. */
export interface SettingsInfo {
  version: string
  node: string
  storage: 'sqlite' | 'postgres'
  auth_required: boolean
  /** How many webhook secrets are active; never the secrets. */
  webhook_secrets: number
  retention_days: number | null
  event_retention_days: number
  rate_limits: { traces_per_minute: number; reads_per_minute: number; streams_per_minute: number }
  search_lag: number
  rollup_lag: number
}
