import { limits } from '@llm-eval/protocol'
import type { EventPage, FollowOptions, Store } from './store.ts'

/** Followers look by themselves this often, in milliseconds; a wake that got lost costs no more. */
const lookEvery = 1_000

/** Rings after commits. Wakes are hints: who missed one looks again soon. */
export class CommitBell {
  readonly #listeners = new Set<(projectId: number, seq: number) => void>()

  listen(listener: (projectId: number, seq: number) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  ring(projectId: number, seq: number): void {
    for (const listener of this.#listeners) listener(projectId, seq)
  }

  /** Resolves at the next commit of a project, after a while, or when the signal aborts. */
  next(projectId: number, signal: AbortSignal): Promise<void> {
    return this.#wait((committed) => committed === projectId, signal)
  }

  /** The same for the next commit of any project. */
  any(signal: AbortSignal): Promise<void> {
    return this.#wait(() => true, signal)
  }

  #wait(isFor: (projectId: number) => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        stop()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, lookEvery)
      const stop = this.listen((committed) => {
        if (isFor(committed)) done()
      })
      signal.addEventListener('abort', done, { once: true })
    })
  }
}

/** Pages of events after a place, for ever. A follower is a number: what it has not read is kept by the journal alone. */
export async function* followJournal(
  store: Pick<Store, 'read'>,
  bell: CommitBell,
  from: { projectId: number; after: number } & FollowOptions,
): AsyncGenerator<EventPage> {
  const { projectId, signal, limit = 1_000, bytes = limits.streamPageBytes } = from
  let after = from.after
  while (!signal.aborted) {
    // Listening starts before reading, so a commit in between is not slept through.
    const wake = new AbortController()
    const rung = bell.next(projectId, AbortSignal.any([signal, wake.signal]))
    const page = await store.read(projectId, 'events', { after, limit, bytes })
    const last = page.events.at(-1)
    if (last) {
      wake.abort()
      after = last.seq
      yield page
    } else await rung
  }
}
