import type { Deps } from '../http/app.ts'
import { applyRules } from './apply.ts'

/** Milliseconds between two looks at events while there is no rule: following every commit would cost more than it is worth. */
const idleMs = 1_000
/** Milliseconds after which it is looked again whether another process made a rule. */
const knownMs = 5_000

/** Follows the journal of every project, and starts what its rules ask for. Each trace is decided on exactly once. */
export class RuleConsumer {
  readonly #deps: Deps
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  /** Whether any project has a rule, as it was last known; it is looked again when it was not lately. */
  #known: { any: boolean; at: number } | undefined
  #wake: () => void = () => undefined

  constructor(deps: Deps) {
    this.#deps = deps
  }

  start(): void {
    const { store, judge, closing, log, now } = this.#deps
    const signal = AbortSignal.any([closing, this.#stopping.signal])
    signal.addEventListener('abort', () => this.#wake(), { once: true })
    const consumed = store.consume({
      name: 'rules',
      signal,
      digest: async (events, projectId) => {
        if (!(await this.#anyRules())) await this.#rest()
        const digest = await applyRules({ store, judge, now }, events, projectId)
        if (digest.effects.length > 0) this.#announce(projectId)
        return digest
      },
    })
    this.#running = consumed.catch((error: unknown) => log.error({ err: error }, 'rules are not followed any more'))
  }

  /** Rules changed: what is decided from now on is decided by the new ones. */
  changed(): void {
    this.#known = undefined
    this.#wake()
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /** Executions are there once the digest is committed: the next commits of the project are looked at until they are. */
  #announce(projectId: number): void {
    const { store, judge } = this.#deps
    let looks = 5
    const stop = store.onCommit((committed) => {
      if (committed !== projectId) return
      if (--looks === 0) stop()
      judge.wake(projectId)
    })
  }

  async #anyRules(): Promise<boolean> {
    const { store, access, now } = this.#deps
    if (this.#known && now() - this.#known.at < knownMs) return this.#known.any
    for (const { id } of await store.read(access.home, 'projects', {})) {
      if ((await store.read(id, 'rules', {})).length === 0) continue
      this.#known = { any: true, at: now() }
      return true
    }
    this.#known = { any: false, at: now() }
    return false
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(done, idleMs)
      timer.unref()
      this.#wake = done
    })
  }
}
