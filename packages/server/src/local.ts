import { createEngine, type Engine } from '@llm-eval/engine'
import { runRoutes } from '@llm-eval/protocol'
import { announceOwner, type Store } from '@llm-eval/store'
import type { Config } from './config/config.ts'
import { openConfiguredStore } from './open-store.ts'
import { DirectRuns } from './runs/direct.ts'

export { loadConfig } from './config/sources.ts'

export interface LocalOptions {
  config: Config
  /** Milliseconds since 1970. */
  now?: () => number
  /** Is told of faults of background work, which goes on. */
  onError?: (error: unknown) => void
}

/** A data directory that this process evaluates into: most evaluations are over before a server would have started. */
export interface LocalRuns {
  /** Tells others where the holder of the data directory is reached. */
  announce(url: string): void
  /** For a server, and with all that it keeps beside: plots, search. */
  share(): Store
  /** Answers as a server at this address would; null where it takes one, which may be started on the same store. */
  answer(url: URL, init: Pick<RequestInit, 'method' | 'body'>): Promise<Response | null>
  /** Closes the store too. */
  close(): Promise<void>
}

/** @throws {DataDirectoryBusy} when another process holds the data directory */
export async function openLocalRuns({
  config,
  now = Date.now,
  onError = () => undefined,
}: LocalOptions): Promise<LocalRuns> {
  let grow: () => void = () => undefined
  const lean = new Promise<void>((resolve) => (grow = resolve))
  const store = await openConfiguredStore(config, { now, onError, lean })
  const engine = createEngine()
  const ending = new AbortController()
  const close = () => closed({ ending, engine, store })
  try {
    const home = await store.read(0, 'project', { name: 'default' })
    if (home === null) throw new Error('the store has no project named default')
    const direct = new DirectRuns({ store, engine, now, projectId: home.id, closing: ending.signal })
    const share = () => {
      grow()
      return store
    }
    const announce = (url: string) => announceOwner(config.data, url)
    return { announce, share, answer: (url, init) => answered(direct, url, init), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function answered(
  direct: DirectRuns,
  url: URL,
  init: Pick<RequestInit, 'method' | 'body'>,
): Promise<Response | null> {
  const base = runRoutes.listRuns.path
  const { pathname, searchParams: query } = url
  const body = textOf(init.body)
  if ((pathname !== base && !pathname.startsWith(`${base}/`)) || body === undefined) return null
  const method = init.method ?? 'GET'
  const answer = await direct.answer({ method, path: pathname.slice(base.length), query, body })
  const headers = { 'content-type': 'application/json; charset=utf-8' }
  return answer && new Response(JSON.stringify(answer.body), { status: answer.status, headers })
}

/** Undefined for what is no text. */
function textOf(body: RequestInit['body']): string | null | undefined {
  if (body === null || body === undefined) return null
  if (typeof body === 'string') return body
  return body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString() : undefined
}

async function closed({
  ending,
  engine,
  store,
}: {
  ending: AbortController
  engine: Engine
  store: Store
}): Promise<void> {
  ending.abort()
  await engine.close()
  await store.close()
}
