import { backoffMs } from '../backoff.ts'
import { NoScore } from '../evaluator.ts'
import { type Clock, pause, within } from './clock.ts'
import { type Call, type CallFault, cancelled, faultOfCall } from './faults.ts'

/** How long is waited for what. */
export interface Patience {
  clock: Clock
  random: () => number
  /** Calls of one question at most, the first included. */
  tries: number
  /** Milliseconds of one call. */
  callMs: number
  /** When all has to be over, as the clock says. */
  deadline: number
  signal: AbortSignal
}

/** A call failed for good. Carries what is needed to try something else. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed'
  readonly fault: CallFault

  constructor(fault: CallFault) {
    super(fault.message)
    this.fault = fault
  }
}

/**
 * Calls, and calls again after what passes by itself: 408, 429, 5xx, broken connections, and silence. Waits as long as the
 * provider asks (Retry-After), else twice as long each time, less a random half so that callers do not come back together.
 *
 * @throws {CallFailed} when it is over
 * @throws {NoScore} `cancelled`
 */
export async function retrying<T>(
  call: Omit<Call, 'now'>,
  patience: Patience,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, random, tries, callMs, deadline, signal } = patience
  for (let attempt = 1; ; attempt++) {
    const left = deadline - clock.now()
    if (signal.aborted) throw cancelled()
    if (left <= 0) throw new CallFailed(late(call.asked))
    try {
      return await within(Math.min(callMs, left), { clock, signal }, run)
    } catch (error) {
      if (signal.aborted) throw cancelled()
      if (error instanceof NoScore) throw error
      const fault = faultOfCall(error, { ...call, now: clock.now() })
      const wait = Math.max(fault.wait ?? 0, backoffMs(attempt, random))
      if (!fault.retry || attempt >= tries || clock.now() + wait >= deadline)
        throw new CallFailed(withCount(fault, attempt))
      await pause(wait, clock, signal).catch(() => {
        throw cancelled()
      })
    }
  }
}

function late(asked: string): CallFault {
  return { fault: 'timeout', message: `${asked} did not answer in time.`, retry: false, wait: null, shape: false }
}

function withCount(fault: CallFault, attempts: number): CallFault {
  const asks = fault.wait === null ? '' : ` It asks to wait for ${Math.ceil(fault.wait / 1_000)} s.`
  const tried = attempts > 1 ? ` It was asked ${attempts} times.` : ''
  return { ...fault, message: `${fault.message}${asks}${tried}` }
}
