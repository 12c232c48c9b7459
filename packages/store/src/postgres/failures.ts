import { Failure } from '@llm-eval/protocol'
import { DatabaseError } from 'pg'

/** The database cannot do it at the moment; trying again later may help. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
  /** The connection is gone: what it was doing may or may not have been committed. */
  readonly disconnected: boolean

  constructor(cause: unknown, disconnected: boolean) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.disconnected = disconnected
  }
}

/** The transaction lost against another one: done again from the start it will see what that one did. */
export class LostRace extends Error {
  override readonly name = 'LostRace'
  /** Two rows with one key. Somebody else may just have made the other one; if it happens again and again, it is no race. */
  readonly collision: boolean

  constructor(message: string, collision = false) {
    super(message)
    this.collision = collision
  }
}

const serializationFailure = '40001'
const deadlock = '40P01'
const uniqueViolation = '23505'

/**
 * Classes of SQLSTATE that speak of the moment, not of the data: no connection, no login, no such database, transaction
 * state (a read-only server among them), aborted transaction, no privilege for it, out of resources, not ready or locked,
 * operator intervention (shutdown, cancel), system error, damaged or misconfigured server.
 */
const moments = /^(?:08|25|28|3D|40|42501|53|55|57|58|F0|XX)/

/**
 * After these a connection is of no use: the server hangs up (it shuts down, an administrator or a timeout ended the
 * session), or it takes no writes any more, as after a failover, when a new connection would lead to another server.
 */
const useless = /^(?:57P|25P03|25006|08)/

/** What an error of the driver means: {@link LostRace}, {@link Unavailable}, or itself when the data or the statement is at fault. */
export function translate(error: unknown): unknown {
  // What does not come from the server comes from the way to it.
  if (!(error instanceof DatabaseError) || error.code === undefined) return new Unavailable(error, true)
  if (error.code === serializationFailure || error.code === deadlock) return new LostRace(error.message)
  if (error.code === uniqueViolation) return new LostRace(`${error.message} (${error.detail ?? ''})`, true)
  if (moments.test(error.code)) return new Unavailable(error, useless.test(error.code))
  return error
}

/** As callers of the store get it. */
export function toFailure(error: unknown): unknown {
  const passing = error instanceof Unavailable || error instanceof LostRace
  return passing ? new Failure('storage_unavailable', { retryAfter: 2, cause: error }) : error
}
