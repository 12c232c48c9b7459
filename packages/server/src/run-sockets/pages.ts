import { limits } from '@llm-eval/protocol'
import type { RunEvent, Store } from '@llm-eval/store'
import type { FrameMaker, RunShape } from './frames.ts'
import type { Told, View } from './view.ts'

/** Events of one page, which rarely hold as many bytes as it may. */
const pageRows = 100
/** Pages that are remembered of one project, and the milliseconds that they are: what is deleted is not told for long after. */
const mostPages = 32
const pageMs = 1_000
/** Views of one page whose bytes are remembered. */
const mostViews = 8

/** Events of one channel that follow each other, told once for all who get them. */
export class Page {
  readonly told: readonly Told[]
  readonly first: number
  readonly last: number
  /** Place of the end of the run among them; -1 where there is none. */
  readonly ends: number
  readonly deletes: boolean
  /** Characters of its frames. */
  readonly size: number
  readonly #encoded = new Map<string, Buffer | undefined>()
  readonly #rests = new Map<number, Page>()

  constructor(told: readonly Told[]) {
    this.told = told
    this.first = told[0]?.seq ?? 0
    this.last = told.at(-1)?.seq ?? 0
    this.ends = told.findLast(({ ends }) => ends)?.seq ?? -1
    this.deletes = told.some(({ deletes }) => deletes)
    this.size = told.reduce((sum, { frames }) => frames.reduce((all, { text }) => all + text.length, sum), 0)
  }

  /** Its messages as a view shows them; undefined where it shows none. */
  encode(view: View): Buffer | undefined {
    if (this.#encoded.has(view.key)) return this.#encoded.get(view.key)
    const messages = view.encode(this.told)
    if (this.#encoded.size < mostViews) this.#encoded.set(view.key, messages)
    return messages
  }

  /** What is left of it for one who has come to a place. */
  after(position: number): Page {
    if (position < this.first) return this
    const known = this.#rests.get(position)
    if (known) return known
    const rest = new Page(this.told.filter(({ seq }) => seq > position))
    if (this.#rests.size < mostViews) this.#rests.set(position, rest)
    return rest
  }
}

/** A page with the numbers of the run right after it. */
export interface ReadPage {
  page: Page
  numbers: RunEvent
}

/** A place that is read from. */
interface Place {
  ref: number | null
  after: number
  /** The number of the read. */
  read: number
  /** When, by a clock that is never set. */
  at: number
}

/** What somebody asks for. */
export interface Asked {
  position: number
  /** Number of the last read that began before they came: it may hold what was deleted since. */
  since: number
  /** Number of the last read that began before there was something new: it may not find it. */
  stale: number
}

interface Known extends Place, ReadPage {}

interface Reading extends Place {
  page: Promise<ReadPage | undefined>
}

export interface PagesOptions {
  store: Store
  projectId: number
  maker: FrameMaker
  /** Milliseconds of a clock that is never set. */
  elapsed: () => number
}

/**
 * Reads pages of the events of one project, each one once for all who come to it at about the same time. Whoever stands in the
 * middle of a page that another one has read gets the rest of it, so that a crowd of slow readers soon shares its pages.
 */
export class Pages {
  readonly #options: PagesOptions
  readonly #reading = new Set<Reading>()
  #known: Known[] = []
  #reads = 0
  #forgetting: NodeJS.Timeout | undefined

  constructor(options: PagesOptions) {
    this.#options = options
  }

  /** Number of the last read that began. */
  get reads(): number {
    return this.#reads
  }

  /**
   * The next page after a place, of one run, or of what becomes of all (`shape` is null).
   *
   * @returns undefined where there is nothing yet
   */
  after(shape: RunShape | null, { position, since, stale }: Asked): Promise<ReadPage | undefined> {
    const at = this.#options.elapsed()
    const ref = shape?.ref ?? null
    const isOf = (one: Place) => one.ref === ref && one.after <= position && one.read > since
    const [known, ...others] = this.#known.filter(
      (one) => isOf(one) && position < one.page.last && one.at >= at - pageMs,
    )
    if (known) return Promise.resolve(others.reduce(longer, known))
    for (const one of this.#reading) if (isOf(one) && one.after === position && one.read > stale) return one.page
    const place = { ref, after: position, read: ++this.#reads, at }
    const reading: Reading = { ...place, page: this.#read(shape, place).finally(() => this.#reading.delete(reading)) }
    this.#reading.add(reading)
    return reading.page
  }

  async #read(shape: RunShape | null, place: Place): Promise<ReadPage | undefined> {
    const { store, projectId, maker } = this.#options
    const { ref, after } = place
    const query = { ref, after, limit: pageRows, bytes: limits.streamPageBytes / 2 }
    const { events } = await store.read(projectId, 'runEvents', query)
    const numbers = events.at(-1)
    if (!numbers) return undefined
    const known = { page: new Page(await maker.tell(events, shape)), numbers, ...place }
    this.#remember(known)
    return known
  }

  #remember(page: Known): void {
    const oldest = this.#options.elapsed() - pageMs
    const fresh = this.#known.filter(({ at }) => at >= oldest)
    // What those at the head of the journal read in small pieces is one page for those who are behind.
    const [before, ...others] = fresh.filter((one) => isContinued(one, page))
    const joined = before ? [join(others.reduce(earlier, before), page)] : []
    this.#known = [...fresh, ...joined, page].slice(-mostPages)
    if (this.#forgetting) return void this.#forgetting.refresh()
    this.#forgetting = setTimeout(() => {
      this.#forgetting = undefined
      this.#known = []
    }, pageMs)
    this.#forgetting.unref()
  }
}

/** Whether one page goes on where another one ends, and both are no more than a page. */
function isContinued(one: Known, next: Known): boolean {
  return (
    one.ref === next.ref &&
    one.page.last === next.after &&
    one.page.told.length + next.page.told.length <= pageRows &&
    one.page.size + next.page.size <= limits.streamPageBytes / 2
  )
}

/** Both as one page, which is as old as the older one. */
function join(one: Known, next: Known): Known {
  return { ...one, page: new Page([...one.page.told, ...next.page.told]), numbers: next.numbers }
}

function earlier(one: Known, other: Known): Known {
  return other.after < one.after ? other : one
}

/** The one that leads further; of two that lead as far, the shorter one. */
function longer(one: Known, other: Known): Known {
  if (other.page.last !== one.page.last) return other.page.last > one.page.last ? other : one
  return other.after > one.after ? other : one
}
