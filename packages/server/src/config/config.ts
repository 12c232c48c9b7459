import { pricesSchema, providersSchema } from '@llm-eval/engine'
import { limits } from '@llm-eval/protocol'
import * as z from 'zod'
import { redactionSchema } from './redaction.ts'
import { targetsSchema } from './targets.ts'

const perMinute = z.int().nonnegative().max(1_000_000_000)
const origin = z.url({ protocol: /^https?$/ }).transform((text) => new URL(text).origin)

/** Every setting, in the form it has in the configuration file. */
export const configSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(8000),
  /** The directory of the embedded database and of `admin.key`. */
  data: z.string().min(1).default('.llm-eval'),
  /** `postgresql://…` selects Postgres; null is the embedded SQLite. */
  database_url: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must start with postgresql://')
    .nullable()
    .default(null),
  pool_size: z.int().min(1).max(500).default(10),
  /** Under which URL people reach this server. */
  public_url: origin.nullable().default(null),
  /** Host names that count as this server, beside loopback and `public_url`. */
  allowed_hosts: z.array(z.string().min(1)).default([]),
  /** Addresses or CIDR ranges whose X-Forwarded-* headers count. */
  trusted_proxies: z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])).default([]),
  cors_origins: z.array(origin).default([]),
  webhook_secrets: z
    .array(
      z.strictObject({
        secret: z.string().min(8, 'a secret needs at least 8 characters'),
        expires_at: z.iso.datetime({ offset: true }).nullable().default(null),
      }),
    )
    .default([]),
  /** An admin key made outside; without it one is made when it is needed. */
  admin_key: z.string().min(24, 'needs at least 24 characters').nullable().default(null),
  /** Per key; a caller without one gets a tenth, per address. 0 is no limit. */
  rate_limits: z
    .strictObject({
      traces_per_minute: perMinute.default(60_000),
      reads_per_minute: perMinute.default(1_200),
      streams_per_minute: perMinute.default(120),
    })
    .prefault({}),
  /** Traces older than this are deleted; null keeps them. */
  retention_days: z.number().positive().max(36_500).nullable().default(null),
  event_retention_days: z.number().positive().max(36_500).default(7),
  log_level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** `normal` may lose the last commits when the machine loses power; `full` loses nothing. */
  synchronous: z.enum(['full', 'normal']).default('full'),
  heartbeat_seconds: z.number().positive().max(300).default(limits.heartbeatSeconds),
  /** Whose models judges ask, by the name that a model's name begins with. */
  providers: providersSchema.default({}),
  /** `provider/model`; null is the usual model of the first provider. */
  default_model: z.string().min(1).max(200).nullable().default(null),
  embedding_model: z.string().min(1).max(200).nullable().default(null),
  /** Over the listed prices. */
  prices: pricesSchema.default({}),
  /** Modules with evaluators of one's own. */
  evaluators: z.array(z.string().min(1)).max(100).default([]),
  /** Whether remote evaluators may be at private addresses. */
  allow_private_evaluators: z.boolean().default(false),
  /** Executions of judges that run at the same time. */
  judge_concurrency: z.int().min(1).max(1_000).default(8),
  /** Agents that front ends reach through the bridge, by name. */
  targets: targetsSchema,
  /** What is taken out of conversations before they are stored. */
  redact: redactionSchema,
})

/** The effective settings of one server. */
export type Config = z.output<typeof configSchema>

/** One secret that webhooks may be signed with. */
export type WebhookSecret = Config['webhook_secrets'][number]

/** The settings that stand where nothing else is said. */
export function defaultConfig(): Config {
  return configSchema.parse({})
}
