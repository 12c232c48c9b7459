import type { RunEvent } from './events.ts'
import { checkPlan, type RunParts, type RunPlan } from './plan.ts'
import { Running } from './running.ts'

/** Events after which other work gets its turn. */
const turnEvery = 64

/**
 * Works a plan off, and tells what happens: `started`, then `item_started` and `item` of each item that was not finished earlier,
 * in the order in which they end, then `ended`. Nothing else is done with the items: who listens stores, shows and counts them.
 *
 * - At most `concurrency` items are worked on at a time, and as many more wait to be listened to: a slow listener slows the run
 *   down, and nothing piles up. Who stops listening ends it.
 * - An attempt at the task may take `timeout_ms`, and so may the evaluators of an item. A task that throws or takes too long is
 *   asked again, `retries` times, after half a second, a second, … What it gives that JSON cannot say is not asked again.
 * - Whatever a task or an evaluator does ends its own item or score alone. A case whose id is taken already is an item that
 *   failed, and is not asked: two cases under one id would be paired with each other in other runs.
 * - Cancelling gives up the items that are being worked on: they are not told of, and asked again when the run is resumed. So does
 *   the limit of time. At the limit of cost, which is reached too when a cost is unknown, and at a decision, they are finished
 *   first: they are paid for.
 * - Cases that cannot be read to their end make the run `failed`, after what was begun is finished.
 *
 * @throws {Failure} `invalid_request`, at once, when the plan cannot be worked off
 */
export function run(plan: RunPlan, parts: RunParts): AsyncGenerator<RunEvent, void, undefined> {
  checkPlan(plan)
  return events(new Running(plan, parts))
}

async function* events(running: Running): AsyncGenerator<RunEvent, void, undefined> {
  try {
    yield running.begin()
    for (let told = 1; ; told++) {
      // Tasks that answer at once would keep the process from everything else, such as hearing that it should stop.
      if (told % turnEvery === 0) await new Promise(setImmediate)
      const event = running.next()
      if (event) yield event
      else if (running.over) break
      else await running.change()
    }
  } finally {
    running.close()
  }
  yield running.end()
}
