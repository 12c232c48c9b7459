import type { Scope } from '@llm-eval/protocol'

/** Who is calling, and in which project. */
export interface Principal {
  projectId: number
  project: string
  /** Null for a caller without a key: everybody on an open loopback server, a signed webhook, or nobody in particular. */
  keyId: string | null
  /** The key's name, for reviews. */
  name: string | null
  scopes: readonly Scope[]
}

/** How a webhook request proved that its body is genuine. */
export interface Signature {
  form: 'standard' | 'sha256'
  /** The `webhook-id` of the Standard Webhooks form; store it with the traces (`Ingest.message`). */
  messageId: string | null
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler of a mounted route runs. */
    principal: Principal
    /** Set on ingest routes once the body was read. */
    signature: Signature | null
  }
}
