import { LostRace } from './failures.ts'

/** Names of models remembered; they come from outside, so there is a bound. */
const remembered = 10_000

const keyOf = (projectId: number, name: string) => `${projectId}\u0000${name}`

/** Ids of models that are committed. */
export class KnownModels {
  readonly #ids = new Map<string, number>()

  get(projectId: number, name: string): number | undefined {
    return this.#ids.get(keyOf(projectId, name))
  }

  add(projectId: number, ids: ReadonlyMap<string, number>): void {
    if (this.#ids.size + ids.size > remembered) this.#ids.clear()
    for (const [name, id] of ids) this.#ids.set(keyOf(projectId, name), id)
  }
}

/** Ids of models as one transaction sees them: known ones, and those it made itself, which are known to others once it is committed. */
export class TransactionModels {
  readonly fresh = new Map<string, number>()
  readonly #projectId: number
  readonly #known: KnownModels
  readonly #make: (names: readonly string[]) => Promise<Map<string, number>>

  constructor(projectId: number, known: KnownModels, make: (names: readonly string[]) => Promise<Map<string, number>>) {
    this.#projectId = projectId
    this.#known = known
    this.#make = make
  }

  /** Makes sure that all of them have an id, with one question at most. */
  async fetch(names: Iterable<string>): Promise<void> {
    const missing = [...new Set(names)].filter((name) => this.#find(name) === undefined)
    if (missing.length === 0) return
    for (const [name, id] of await this.#make(missing)) this.fresh.set(name, id)
  }

  async id(name: string): Promise<number> {
    const known = this.#find(name)
    if (known !== undefined) return known
    await this.fetch([name])
    const id = this.#find(name)
    if (id === undefined) throw new LostRace('a model vanished')
    return id
  }

  #find(name: string): number | undefined {
    return this.fresh.get(name) ?? this.#known.get(this.#projectId, name)
  }
}
