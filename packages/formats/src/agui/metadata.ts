import type { AdkEvent } from '../adk/index.ts'
import { absentOr, filled, type Form, isOf, list, number, object, record, text } from './form.ts'

/**
 * What the events of AG-UI have no word for, at `metadata.adk`. Whole on the first event that comes of an event of ADK, or, of
 * one that was streamed, on the last; the others only say where they belong, so that nothing is counted twice.
 */
export interface AdkMetadata {
  eventId: string
  invocationId: string
  author: string
  /** Seconds since 1970. */
  timestamp: number
  branch?: string | undefined
  modelVersion?: string | undefined
  finishReason?: string | undefined
  /** As ADK tells it: `promptTokenCount` and the others. */
  usage?: Record<string, unknown> | undefined
  longRunningToolIds?: string[] | undefined
  /** Without `stateDelta`, which is a STATE_DELTA. */
  actions?: Record<string, unknown> | undefined
  /** Whatever else the event has beside its content. */
  more?: Record<string, unknown> | undefined
  /** Of text that came in pieces: the id of the first, which all of them share. */
  stream?: string | undefined
  /** From 2: of events that share one id, as ADK tells one that holds an artifact in two. */
  frame?: number | undefined
}

/** Name of the CUSTOM event that holds an event of ADK whole, where events of AG-UI cannot say what it says. */
export const adkEventName = 'adk.event'

const maybeText = absentOr(text)
const maybeRecord = absentOr(record)

const form: Form<AdkMetadata> = object({
  eventId: filled(),
  invocationId: filled(),
  author: filled(),
  timestamp: number,
  branch: maybeText,
  modelVersion: maybeText,
  finishReason: maybeText,
  usage: maybeRecord,
  longRunningToolIds: absentOr(list(text)),
  actions: maybeRecord,
  more: maybeRecord,
  stream: maybeText,
  frame: absentOr(number),
})

/** The part of an event's metadata that is about ADK, if it has one that can be read. */
export function readMetadata(metadata: Readonly<Record<string, unknown>> | null | undefined): AdkMetadata | undefined {
  if (metadata?.['adk'] === undefined) return undefined
  const { adk } = metadata
  return isOf(form, adk) ? adk : undefined
}

/** Where something belongs. */
export function placeOf({ id, invocationId, author, timestamp }: AdkEvent): AdkMetadata {
  return { eventId: id, invocationId, author, timestamp }
}

/** All that there is to say of an event beside its content and its state. */
export function metadataOf(event: AdkEvent): AdkMetadata {
  const { branch, modelVersion, finishReason, usageMetadata, longRunningToolIds, actions } = event
  const others = without(actions ?? {}, new Set(['stateDelta']))
  const more = without(event, told)
  return {
    ...placeOf(event),
    ...defined({ branch, modelVersion, finishReason, usage: usageMetadata, longRunningToolIds }),
    ...(isEmpty(others) ? {} : { actions: others }),
    ...(isEmpty(more) ? {} : { more }),
  }
}

/** What is told by name, or by the events themselves. */
const told = new Set([
  'id',
  'invocationId',
  'author',
  'timestamp',
  'content',
  'partial',
  'branch',
  'modelVersion',
  'finishReason',
  'usageMetadata',
  'longRunningToolIds',
  'actions',
])

function without(value: object, keys: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.has(key)))
}

/** The event that metadata tells of, without its content and state. */
export function eventOf(metadata: AdkMetadata): AdkEvent {
  const { eventId, invocationId, author, timestamp, branch, modelVersion, finishReason } = metadata
  const { usage, longRunningToolIds, actions, more } = metadata
  return {
    ...more,
    id: eventId,
    invocationId,
    author,
    timestamp,
    ...defined({ branch, modelVersion, finishReason, usageMetadata: usage, longRunningToolIds, actions }),
  }
}

/** Whether nothing is set in it. */
export function isEmpty(value: object): boolean {
  return Object.values(value).every((one) => one === undefined)
}

function defined<T extends object>(value: T): Partial<T> {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  return Object.fromEntries(entries) as Partial<T>
}
