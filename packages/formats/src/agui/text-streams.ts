import type { AdkEvent, AdkPart } from '../adk/index.ts'
import { type AdkMetadata, placeOf } from './metadata.ts'
import type { AguiEvent } from './events.ts'

/** Text of one kind in a row, which is one message for AG-UI. */
export type TextKind = 'text' | 'thought'

/** A message that is open, or was. */
interface Piece {
  id: string
  kind: TextKind
  text: string
  open: boolean
}

/** Text that an agent says piece by piece, until it says the whole again. */
export interface TextStream {
  /** Of its first event. */
  id: string
  author: string
  pieces: Piece[]
  /** Its newest event: what it tells counts only if no whole comes. */
  last: AdkEvent
  /** A free id for a message. */
  messageId: (id: string) => string
}

/** Text of a whole event. */
export interface TextPart {
  kind: TextKind
  text: string
  part: AdkPart
}

type Stamp = { timestamp: number; metadata?: Record<string, unknown> }

/** What kind of text a part is, if it is text and nothing else. */
export function textKind({ text, thought }: AdkPart): TextKind | undefined {
  if (text === undefined || text === '') return undefined
  return thought === true ? 'thought' : 'text'
}

/** Integer milliseconds, as `@ag-ui/client` wants them. */
export function stampOf({ timestamp }: AdkEvent, adk?: AdkMetadata): Stamp {
  const ms = Math.round(timestamp * 1_000)
  return adk === undefined ? { timestamp: ms } : { timestamp: ms, metadata: { adk } }
}

/** The first events of a message. */
export function opening(
  piece: Pick<Piece, 'id' | 'kind'>,
  { author, stamp }: { author: string; stamp: Stamp },
): AguiEvent[] {
  const { id: messageId, kind } = piece
  if (kind === 'text') return [{ type: 'TEXT_MESSAGE_START', messageId, role: 'assistant', name: author, ...stamp }]
  return [
    { type: 'REASONING_START', messageId, timestamp: stamp.timestamp },
    { type: 'REASONING_MESSAGE_START', messageId, role: 'reasoning', ...stamp },
  ]
}

export function delta({ id, kind }: Pick<Piece, 'id' | 'kind'>, text: string, stamp: Stamp): AguiEvent {
  const type = kind === 'text' ? 'TEXT_MESSAGE_CONTENT' : 'REASONING_MESSAGE_CONTENT'
  return { type, messageId: id, delta: text, timestamp: stamp.timestamp }
}

/** The last events of a message. */
export function closing({ id: messageId, kind }: Pick<Piece, 'id' | 'kind'>, stamp: Stamp): AguiEvent[] {
  if (kind === 'text') return [{ type: 'TEXT_MESSAGE_END', messageId, ...stamp }]
  return [
    { type: 'REASONING_MESSAGE_END', messageId, ...stamp },
    { type: 'REASONING_END', messageId, timestamp: stamp.timestamp },
  ]
}

/** Starts to say text piece by piece. */
export function beginStream(event: AdkEvent, messageId: TextStream['messageId']): TextStream {
  return { id: event.id, author: event.author, pieces: [], last: event, messageId }
}

/** Says the text of an event that is only a piece. Whatever else it holds comes again with the whole. */
export function say(stream: TextStream, event: AdkEvent): AguiEvent[] {
  stream.last = event
  return (event.content?.parts ?? []).flatMap((part) => {
    const kind = textKind(part)
    return kind === undefined ? [] : sayMore(stream, { kind, text: part.text ?? '', event })
  })
}

/** Says more of one kind: in the open message, or, after another kind, in a new one. */
export function sayMore(
  stream: TextStream,
  { kind, text, event }: { kind: TextKind; text: string; event: AdkEvent },
): AguiEvent[] {
  const stamp = stampOf(event)
  const last = stream.pieces.at(-1)
  if (last?.open && last.kind === kind) {
    last.text += text
    return [delta(last, text, stamp)]
  }
  const ended = last?.open ? close(last, stamp) : []
  const piece = { id: stream.messageId(stream.id), kind, text, open: true }
  stream.pieces.push(piece)
  const begun = stampOf(event, { ...placeOf(event), stream: stream.id })
  return [...ended, ...opening(piece, { author: stream.author, stamp: begun }), delta(piece, text, stamp)]
}

/** Ends the message that is open. */
export function hush(stream: TextStream, stamp: Stamp): AguiEvent[] {
  const last = stream.pieces.at(-1)
  return last?.open ? close(last, stamp) : []
}

function close(piece: Piece, stamp: Stamp): AguiEvent[] {
  piece.open = false
  return closing(piece, stamp)
}

/**
 * How what was said piece by piece stands to the whole that follows. `same`: piece for piece; `said`: the same text, cut otherwise;
 * `more`: the whole goes on (`rest`, by kind); `other`: it says something else.
 */
export function compare(
  { pieces }: TextStream,
  whole: readonly TextPart[],
): { is: 'same' | 'said' | 'other' } | { is: 'more'; rest: { kind: TextKind; text: string }[] } {
  const isSame = pieces.length === whole.length && pieces.every((piece, at) => isOf(piece, whole[at]))
  if (isSame) return { is: 'same' }
  const rest: { kind: TextKind; text: string }[] = []
  for (const kind of ['thought', 'text'] as const) {
    const before = joined(pieces, kind)
    const now = joined(whole, kind)
    if (before === now || before.endsWith(now)) continue
    if (!now.startsWith(before)) return { is: 'other' }
    rest.push({ kind, text: now.slice(before.length) })
  }
  return rest.length === 0 ? { is: 'said' } : { is: 'more', rest }
}

function isOf(piece: Piece, part: TextPart | undefined): boolean {
  return piece.kind === part?.kind && piece.text === part.text
}

function joined(texts: readonly { kind: TextKind; text: string }[], kind: TextKind): string {
  return texts.flatMap((one) => (one.kind === kind ? one.text : [])).join('')
}
