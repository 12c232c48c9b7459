import * as z from 'zod'

/** Headers that are for this server, or that belong to one connection. */
const ownHeaders = ['authorization', 'x-api-key', 'cookie']
const fixedHeaders = ['host', 'connection', 'content-length', 'transfer-encoding', 'content-type', 'accept', 'te']

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'must be the name of a header')
const headerValue = z
  .string()
  .max(16_384)
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must not hold the end of a line')
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')

const forwarded = z
  .record(
    headerName.refine(
      (name) => !ownHeaders.includes(name.toLowerCase()),
      'is how front ends show their key to this server: let them send another header, such as x-agent-authorization',
    ),
    headerName.refine((name) => !fixedHeaders.includes(name.toLowerCase()), 'cannot be set'),
  )
  .default({})

/** An agent that front ends reach through the bridge. */
const targetSchema = z.strictObject({
  /** `adk`: an `adk api_server`. `agent_engine`: deployed to Google's Agent Engine. `agui`: any agent of AG-UI. */
  kind: z.enum(['adk', 'agent_engine', 'agui']).default('adk'),
  /** Of the server, or of the engine (its resource name will do). */
  url: z.string().min(1).max(2_000),
  /** Of an `adk api_server`; null is the only app that it has. */
  app_name: z.string().min(1).max(200).nullable().default(null),
  user_id: z.string().min(1).max(200).default('user'),
  /** Sent with each request. */
  headers: z.record(headerName, headerValue).default({}),
  /** Of the front end's request: which of its headers go on, and by which name. */
  forward_headers: forwarded,
  /** Environment variable with a bearer token. */
  token_env: variable.nullable().default(null),
  /** A command that prints a bearer token, such as `["gcloud", "auth", "print-access-token"]`. */
  token_command: z.array(z.string().min(1).max(1_000)).min(1).max(50).nullable().default(null),
  /** Environment variable with a key, sent as `x-goog-api-key`. */
  api_key_env: variable.nullable().default(null),
  /** Of silence, until the agent is given up; after 300 s Node's `fetch` gives up by itself. */
  timeout_seconds: z.number().positive().max(300).default(120),
})

/** Agents by name. */
export const targetsSchema = z
  .record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,99}$/, 'must be 1 to 100 of a-z, 0-9, _ and -'), targetSchema)
  .default({})

/** One agent of the configuration. */
export type TargetSettings = z.output<typeof targetSchema>
