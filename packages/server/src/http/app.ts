import type { Socket } from 'node:net'
import type { Store } from '@llm-eval/store'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Logger } from 'pino'
import type { Access } from '../access/guard.ts'
import type { Config } from '../config/config.ts'
import type { WorkingJudge } from '../judging/create-judge.ts'
import type { Meters } from '../meters/meters.ts'
import type { BodyBudget } from './raw-body.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Bytes that this request holds of the budget for bodies; given back when there is an answer. */
    claimedBytes: number
  }
  interface FastifyInstance {
    bodyBudget: BodyBudget
    /** Connections that carry a stream: it has them for itself, for it never ends. */
    streaming: WeakSet<Socket>
  }
}

/** The HTTP server that slices mount their routes on. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** What slices are made of. `main.ts` alone constructs it. */
export interface Deps {
  store: Store
  access: Access
  /** The evaluators and their executions. */
  judge: WorkingJudge
  config: Config
  /** Milliseconds since 1970. */
  now: () => number
  log: Logger
  meters: Meters
  /** Of the server, as users know it. */
  version: string
  /** Aborts when the server starts to shut down: long answers end then, so that their clients go elsewhere. */
  closing: AbortSignal
}

/** Registers the routes of one slice. */
export type Register = (app: App, deps: Deps) => void
