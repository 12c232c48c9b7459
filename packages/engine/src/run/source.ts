import { limits, type TaskFault } from '@llm-eval/protocol'
import { type Earlier, isLater, type RunCase, type RunPlan } from './plan.ts'
import { messageOf, plainOf } from './plain.ts'

/** One item that is to be done. */
export interface Slot {
  itemId: string
  itemIndex: number
  case: RunCase
  /** The id of the case; a made-up one where the case cannot be asked, so that no other is taken for it. */
  caseId: string
  /** As they are kept with the item. */
  input: unknown
  expected: unknown
  repetition: number
  /** Which case of the dataset, from 0, and how many items of it are still to be done, this one's brothers included. */
  caseIndex: number
  caseSlots: number
  /** Why it cannot be asked. */
  fault: { code: TaskFault; message: string } | null
}

/** The same in every run over the same cases, which is how an interrupted run finds what is missing. */
export function itemIdOf(caseId: string, repetition: number): string {
  return `${caseId}#${repetition}`
}

/** The items of a plan one after the other, leaving out those that are finished: the repetitions of a case stand together. */
export class Source {
  readonly #cases: AsyncIterator<RunCase> | Iterator<RunCase>
  readonly #repetitions: number
  readonly #finished: Earlier['finished']
  readonly #ids = new Set<string>()
  #slots: Slot[] = []
  #caseIndex = 0
  #closed = false

  constructor({ cases, settings, earlier }: RunPlan) {
    this.#cases = Symbol.asyncIterator in cases ? cases[Symbol.asyncIterator]() : cases[Symbol.iterator]()
    this.#repetitions = settings.repetitions
    this.#finished = earlier?.finished ?? (() => false)
  }

  /** Cases that were read. */
  get read(): number {
    return this.#caseIndex
  }

  /** The next item, at once where the cases are at hand; undefined after the last. Throws, or rejects, as they do. */
  next(): Slot | undefined | Promise<Slot | undefined> {
    for (;;) {
      const slot = this.#slots.shift()
      if (slot || this.#closed) return slot
      const read = this.#cases.next()
      if (isLater(read)) return this.#nextOf(read)
      if (read.done === true) return undefined
      this.#take(read.value)
    }
  }

  /** Reads no more, and lets whoever gives the cases know. A reading that hangs is left behind. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#slots = []
    try {
      Promise.resolve(this.#cases.return?.()).catch(() => undefined)
    } catch {
      // It has nothing to give any more, and what went wrong while it said so changes no item.
    }
  }

  async #nextOf(reading: PromiseLike<IteratorResult<RunCase>>): Promise<Slot | undefined> {
    for (let read = await reading; read.done !== true && !this.#closed; read = await this.#cases.next()) {
      this.#take(read.value)
      const slot = this.#slots.shift()
      if (slot) return slot
    }
    return undefined
  }

  #take(one: RunCase): void {
    const caseIndex = this.#caseIndex++
    const { id, ...checked } = this.#check(one, caseIndex)
    for (let repetition = 1; repetition <= this.#repetitions; repetition++) {
      const itemIndex = caseIndex * this.#repetitions + repetition - 1
      const itemId = itemIdOf(id, repetition)
      if (this.#finished(itemId, itemIndex)) continue
      this.#slots.push({ itemId, itemIndex, case: one, caseId: id, ...checked, repetition, caseIndex, caseSlots: 0 })
    }
    for (const slot of this.#slots) slot.caseSlots = this.#slots.length
  }

  #check(one: RunCase, index: number): Pick<Slot, 'input' | 'expected' | 'fault'> & { id: string } {
    const nothing = { input: null, expected: null }
    const unfit = (id: string, message: string) => ({
      id: this.#claim(this.#freeId(id, index)),
      fault: { code: 'invalid_case' as const, message },
    })
    try {
      const { id: given } = one
      if (typeof given !== 'string' || given === '' || given.length > limits.nameChars)
        return { ...unfit('case', `The case's id must be a text of 1 to ${limits.nameChars} characters.`), ...nothing }
      const id = keptId(given)
      const input = plainOf(one.input ?? null, "The case's input")
      if ('fault' in input) return { ...unfit(id, input.message), ...nothing }
      const expected = plainOf(one.expected ?? null, "The case's expectation")
      if ('fault' in expected) return { ...unfit(id, expected.message), ...nothing }
      const known = { input: input.value, expected: expected.value }
      return this.#ids.has(id) ? { ...unfit(id, twice(id)), ...known } : { id: this.#claim(id), ...known, fault: null }
    } catch (error) {
      return { ...unfit('case', `The case cannot be read: ${messageOf(error)}`), ...nothing }
    }
  }

  /** Nothing has this id but the case that claims it. */
  #claim(id: string): string {
    this.#ids.add(id)
    return id
  }

  /** An id that no case has, no longer than ids may be, made of one that it cannot have. */
  #freeId(id: string, index: number): string {
    for (let end = `~${index}`; ; end += '~') {
      const free = keptId(id.slice(0, limits.nameChars - end.length)) + end
      if (!this.#ids.has(free)) return free
    }
  }
}

/** As a store keeps it; apart from the text that it may have been cut out of, which it would keep in memory. */
function keptId(id: string): string {
  return Buffer.from(id).toString().replaceAll('\0', '\ufffd')
}

function twice(id: string): string {
  return `An earlier case has the id ${id}. Cases are found again in other runs by their ids, so each needs its own.`
}
