import { hash } from 'node:crypto'
import type { AdkAnswer, AdkCalling, AdkClient, AdkQuestion, AdkTarget } from './adk-target.ts'
import { callServer, readJson } from './call-server.ts'
import { AgentFailed } from './fault.ts'
import { record } from './told.ts'

/** What asking takes from outside. */
export interface AdkClientOptions {
  /** Reaches whatever the address names: hand in a guarded one where others say what is asked. */
  fetch: typeof globalThis.fetch
}

/**
 * A client of an agent of ADK, the same for all threads. Sessions of an api server are named after their threads, so that they
 * are found again by whoever asks next; Agent Engine names its sessions itself.
 */
export function createAdkClient(target: AdkTarget, { fetch }: AdkClientOptions): AdkClient {
  const call: Call = (url, { signal, headers }, body) => callServer(target, { fetch, signal, headers, url, body })
  return target.kind === 'adk' ? apiServer(target, call) : agentEngine(target, call)
}

/** Sends a body; without one it gets what is there. */
type Call = (url: string, question: AdkCalling, body?: object) => Promise<Response>

function apiServer({ url, appName, userId }: AdkTarget, call: Call): AdkClient {
  const base = url.replace(/\/+$/, '')
  const open = new Set<string>()
  const opening = new Map<string, Promise<void>>()
  let found: string | undefined

  async function appOf(question: AdkCalling): Promise<string> {
    return (found ??= appName ?? onlyOne(await readJson(await call(`${base}/list-apps`, question))))
  }

  async function create(id: string, question: AdkCalling): Promise<void> {
    const at = [base, 'apps', await appOf(question), 'users', userId, 'sessions', id]
    try {
      const path = at.map((part, index) => (index === 0 ? part : encodeURIComponent(part))).join('/')
      await (await call(path, question, {})).body?.cancel()
    } catch (error) {
      // Its session is there: the next request shows whether it is.
      if (!(error instanceof AgentFailed) || (error.fault.status !== 400 && error.fault.status !== 409)) throw error
    }
    remember(open, id)
  }

  return {
    app: appOf,
    async prepare({ sessionId, threadId, ...calling }) {
      const id = sessionId ?? sessionIdOf(threadId)
      if (open.has(id) || opening.has(id)) return
      const making = create(id, calling).finally(() => opening.delete(id))
      opening.set(id, making)
      await making
    },
    async ask(question): Promise<AdkAnswer> {
      const sessionId = question.sessionId ?? sessionIdOf(question.threadId)
      // What could not be made ready is tried once more by whoever needs it, who is told why it fails.
      await unlessAborted(Promise.allSettled([opening.get(sessionId)]), question.signal)
      if (!open.has(sessionId)) await create(sessionId, question)
      const { message: newMessage, stateDelta } = question
      const asked = { appName: await appOf(question), userId, sessionId, newMessage, streaming: true }
      const run = () => call(`${base}/run_sse`, question, { ...asked, ...(stateDelta === null ? {} : { stateDelta }) })
      try {
        return { response: await run(), sessionId }
      } catch (error) {
        // A server that keeps its sessions in memory was started anew.
        if (!(error instanceof AgentFailed) || error.fault.status !== 404) throw error
        await create(sessionId, question)
        return { response: await run(), sessionId }
      }
    },
  }
}

function agentEngine({ url, userId }: AdkTarget, call: Call): AdkClient {
  const base = engineUrl(url)

  async function create(question: AdkQuestion): Promise<string> {
    const input = { user_id: userId }
    const answer = await readJson(
      await call(`${base}:query`, question, { class_method: 'async_create_session', input }),
    )
    const id = record(record(answer)?.['output'])?.['id']
    if (typeof id === 'string' && id !== '') return id
    throw new AgentFailed({ code: 'unreadable', message: 'Agent Engine made a session and did not say its id.' })
  }

  return {
    app: () => Promise.resolve(null),
    // Who makes a session there has to remember its name: it is made when it is asked in.
    prepare: () => Promise.resolve(),
    async ask(question): Promise<AdkAnswer> {
      const run = async (sessionId: string): Promise<AdkAnswer> => {
        const state = question.stateDelta === null ? {} : { state_delta: question.stateDelta }
        const input = {
          user_id: userId,
          session_id: sessionId,
          message: question.message,
          run_config: { streaming_mode: 'sse' },
          ...state,
        }
        const body = { class_method: 'async_stream_query', input }
        return { response: await call(`${base}:streamQuery?alt=sse`, question, body), sessionId }
      }
      if (question.sessionId === null) return run(await create(question))
      try {
        return await run(question.sessionId)
      } catch (error) {
        if (!(error instanceof AgentFailed) || !isLostSession(error)) throw error
        return run(await create(question))
      }
    },
  }
}

/** Whether Agent Engine says that it has no such session (any more). */
function isLostSession({ fault: { status, excerpt = '' } }: AgentFailed): boolean {
  return status === 404 || (status === 400 && /session[^]*not found/i.test(excerpt))
}

/** The engine's own address, of whatever was pasted: its resource name, or one of its methods. */
function engineUrl(url: string): string {
  const plain = url.replace(/\/+$/, '').replace(/:(query|streamQuery)(\?.*)?$/, '')
  const location = /^projects\/[^/]+\/locations\/([^/]+)\/reasoningEngines\/[^/]+$/.exec(plain)?.[1]
  return location === undefined ? plain : `https://${location}-aiplatform.googleapis.com/v1/${plain}`
}

/**
 * The session of a thread on an api server: its id, or, where that holds what no session may be called, one that is made of it.
 */
export function sessionIdOf(threadId: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(threadId)
    ? threadId
    : `thread-${hash('sha256', threadId).slice(0, 40)}`
}

/** @throws the signal's reason once it is aborted, whether the work is done or not */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', stop))
}

/** Sessions that are known to be there, the newest of them. */
function remember(open: Set<string>, id: string): void {
  open.add(id)
  for (const oldest of open) {
    if (open.size <= 10_000) return
    open.delete(oldest)
  }
}

function onlyOne(apps: unknown): string {
  const names = Array.isArray(apps) ? apps.filter((one) => typeof one === 'string') : []
  const [first] = names
  if (first !== undefined && names.length === 1) return first
  const message =
    names.length === 0
      ? 'The server lists no apps: name the app (app_name).'
      : `The server has several apps (${names.slice(0, 10).join(', ')}): name one (app_name).`
  throw new AgentFailed({ code: 'invalid_request', message })
}
