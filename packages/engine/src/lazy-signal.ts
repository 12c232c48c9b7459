/** A signal that is made when somebody asks for it: most tasks never look, and making one takes longer than they do. */
export class LazySignal {
  #controller: AbortController | undefined
  #reason: { why: unknown } | undefined

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#reason) this.#controller.abort(this.#reason.why)
    }
    return this.#controller.signal
  }

  abort(why: unknown): void {
    if (this.#reason) return
    this.#reason = { why }
    this.#controller?.abort(why)
  }
}
