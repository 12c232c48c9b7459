import { limits } from '@llm-eval/protocol'
import type { Deps } from './http/app.ts'

const day = 86_400_000
/** Traces deleted by one commit, so that others get their turn in between. */
const portion = 1_000
/** Reports of agent tests, which may be large, likewise. */
const reportPortion = 20
/** Conversations, and events of those, which may be large, likewise. */
const conversationPortion = 200
/** Commits of one round; the rest waits for the next one. */
const portions = 200
/** A message id is of use as long as its timestamp is accepted. */
const messageMs = 4 * limits.signatureSkewSeconds * 1000

/** What has to be done every minute. */
export type Maintenance = Pick<Deps, 'store' | 'config' | 'now' | 'closing'>

/** Drops what has expired: tokens and message ids, traces, runs, reports of agent tests, conversations and results of evaluations past their retention, events past theirs. */
export async function maintain(parts: Maintenance): Promise<void> {
  const { store, config, now, closing } = parts
  const home = await store.read(0, 'project', { name: 'default' })
  if (home === null) return
  for (const { id } of await store.read(home.id, 'projects', {})) {
    if (closing.aborted) return
    await store.apply(id, { kind: 'sweep', at: now(), messagesBefore: now() - messageMs })
    await expire(parts, id)
    await store.apply(id, { kind: 'trimEvents', before: now() - config.event_retention_days * day })
  }
}

async function expire({ store, config, now, closing }: Maintenance, project: number): Promise<void> {
  if (config.retention_days === null) return
  const before = now() - config.retention_days * day
  const expired = [
    () => store.apply(project, { kind: 'expireTraces', before, at: now(), limit: portion }),
    // What stands on a trace goes with it.
    () => store.apply(project, { kind: 'expireExecutions', before, limit: portion }),
    () => store.apply(project, { kind: 'expireRuns', before, at: now(), limit: portion }),
    () => store.apply(project, { kind: 'expireAgentReports', before, at: now(), limit: reportPortion }),
    () => store.apply(project, { kind: 'expireConversations', before, at: now(), limit: conversationPortion }),
  ]
  for (const drop of expired)
    for (let round = 0; round < portions && !closing.aborted; round++) if (!(await drop()).more) break
}

/** Runs `work` again and again, never twice at once; its errors are told and do not stop it. */
export function repeat(
  work: () => Promise<void> | void,
  options: { everyMs: number; onError: (error: unknown) => void },
) {
  let running: Promise<void> | undefined
  const round = async () => {
    try {
      await work()
    } catch (error) {
      options.onError(error)
    } finally {
      running = undefined
    }
  }
  const timer = setInterval(() => {
    running ??= round()
  }, options.everyMs)
  timer.unref()
  return {
    /** Ends after the round that is under way. */
    async stop(): Promise<void> {
      clearInterval(timer)
      await running
    },
  }
}
