/** Calls that have no result yet, oldest first, found by name without looking at the others. */
export class OpenCalls<Call extends { readonly name: string }> {
  readonly #all = new Set<Call>()
  readonly #byName = new Map<string, Set<Call>>()

  add(call: Call): void {
    this.#all.add(call)
    const named = this.#byName.get(call.name)
    if (named) named.add(call)
    else this.#byName.set(call.name, new Set([call]))
  }

  delete(call: Call): void {
    this.#all.delete(call)
    this.#byName.get(call.name)?.delete(call)
  }

  /** The oldest of a name, or of any. */
  oldest(name: string | undefined): Call | undefined {
    const [first] = name === undefined ? this.#all : (this.#byName.get(name) ?? [])
    return first
  }
}
