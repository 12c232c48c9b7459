import type { RunFrameFilter, RunFrameType } from '@llm-eval/protocol'
import { toMessage } from './outlet.ts'

/** A frame of the journal, written once for all who see it. */
export interface ToldFrame {
  type: RunFrameType
  text: string
  /** What filters look at, where it is about an item. */
  item: { failed: boolean; values: ReadonlyMap<string, number | null> } | null
}

/** All frames of one event. */
export interface Told {
  seq: number
  frames: ToldFrame[]
  /** The run is over, and its last numbers are among the frames. */
  ends: boolean
  /** The run is no more. */
  deletes: boolean
}

/** What one subscription shows. Those of the same key share their bytes. */
export class View {
  readonly key: string
  readonly #filter: RunFrameFilter

  constructor(filter: RunFrameFilter) {
    const { events, failed, below } = filter
    this.#filter = filter
    this.key = JSON.stringify([events?.toSorted() ?? null, failed ?? null, below?.metric ?? null, below?.value ?? null])
  }

  shows(type: RunFrameType): boolean {
    return this.#filter.events?.includes(type) ?? true
  }

  /** The messages of events; undefined where it shows none of them. */
  encode(events: readonly Told[]): Buffer | undefined {
    const messages = events.flatMap(({ frames }) => frames.filter((one) => this.#fits(one)).map(messageOf))
    return messages.length === 0 ? undefined : Buffer.concat(messages)
  }

  #fits({ type, item }: ToldFrame): boolean {
    if (!this.shows(type)) return false
    if (item === null) return true
    const { failed, below } = this.#filter
    if (failed === true && !item.failed) return false
    if (below === undefined) return true
    const value = item.values.get(below.metric) ?? null
    return value !== null && value < below.value
  }
}

const framed = new WeakMap<ToldFrame, Buffer>()

/** The message of a frame. */
export function messageOf(frame: ToldFrame): Buffer {
  const known = framed.get(frame)
  if (known) return known
  const message = toMessage(frame.text)
  framed.set(frame, message)
  return message
}
