import { HttpAgent } from '@ag-ui/client'
import { Bridge } from '../src/bridge/bridge.ts'
import { registerBridge } from '../src/bridge/routes.ts'
import type { BridgeTap } from '../src/bridge/running.ts'
import { createTargets, printedBy } from '../src/bridge/targets.ts'
import { configSchema } from '../src/config/config.ts'
import { createRecording } from '../src/recording/append.ts'
import { type Ground, type GroundOptions, startGround } from './ground.ts'

/** A server with the bridge and nothing else. */
export function startBridge(
  targets: Record<string, object>,
  {
    env = {},
    ...options
  }: GroundOptions & {
    env?: Record<string, string>
    answerBytes?: number
    runs?: number
    renewMs?: number
    tap?: BridgeTap
  } = {},
): Promise<Ground> {
  const parsed = configSchema.parse({ targets, ...options.config })
  const bridge = registerBridge(({ access, closing, config, log, now, store }) => {
    return new Bridge({
      recording: createRecording({ store, now, config }),
      targets: createTargets(config.targets, { fetch, env, printed: printedBy }),
      fetch,
      home: access.home,
      appMs: 60_000,
      log,
      closing,
      tap: options.tap,
      renewMs: options.renewMs,
      ...(options.answerBytes === undefined ? {} : { answerBytes: options.answerBytes }),
      ...(options.runs === undefined ? {} : { runs: options.runs }),
    })
  })
  return startGround({
    ...options,
    config: { ...options.config, targets: parsed.targets },
    slices: [...(options.slices ?? []), bridge],
  })
}

/** What a front end sees of one request. */
export interface Seen {
  // Tests look into events freely.
  // oxlint-disable-next-line typescript/no-explicit-any
  events: any[]
  error: unknown
}

/** A front end of `@ag-ui/client` that says something and waits for the end. */
export async function talk(agent: HttpAgent, text?: string, id = `user-${agent.messages.length}`): Promise<Seen> {
  const events: object[] = []
  if (text !== undefined) agent.addMessage({ id, role: 'user', content: text })
  // What goes wrong is looked at below.
  const { error: complain } = console
  console.error = () => undefined
  const error = await agent.runAgent({}, { onEvent: ({ event }) => void events.push(event) }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  console.error = complain
  return { events, error }
}

/** What was recorded of a thread. */
export async function recorded(ground: Pick<Ground, 'store' | 'access'>, threadId: string) {
  const projectId = ground.access.home
  const found = await ground.store.read(projectId, 'conversation', { threadId })
  if (found === null || found === 'deleted') return []
  const asked = { ref: found.ref, after: 0, limit: 1_000, bytes: 64 * 1024 * 1024 }
  const { events } = await ground.store.read(projectId, 'conversationEvents', asked)
  return events.map((event) => ({ ...event, payload: payloadOf(event.payload) }))
}

// oxlint-disable-next-line typescript/no-explicit-any
function payloadOf(text: string): any {
  return JSON.parse(text)
}
