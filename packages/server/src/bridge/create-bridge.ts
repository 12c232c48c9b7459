import type { Deps } from '../http/app.ts'
import { createRecording } from '../recording/append.ts'
import { Bridge } from './bridge.ts'
import type { BridgeTap } from './running.ts'
import { createTargets, printedBy } from './targets.ts'

/**
 * The bridge of a server, with the targets of its configuration. These are the operator's own, and may be at private addresses.
 *
 * @param tap is told all that goes by
 */
export function createBridge(tap?: BridgeTap): (deps: Deps) => Bridge {
  return ({ access, closing, config, log, now, store }) =>
    new Bridge({
      recording: createRecording({ store, now, config }),
      targets: createTargets(config.targets, { fetch, env: process.env, printed: printedBy }),
      fetch,
      home: access.home,
      log,
      closing,
      tap,
    })
}
