import { isUtf8 } from 'node:buffer'
import { limits } from '@llm-eval/protocol'
import { BrokenBody } from '../http/streamed-body.ts'

/** What a file holds, one after the other, each with the line it begins in. */
export type Entry = { line: number } & (
  | { row: Record<string, unknown> }
  /** The columns of a file that names them once. */
  | { header: string[] }
  /** A row that cannot be read; those after it can. */
  | { error: string }
  /** Nothing behind it can be read. */
  | { broken: string }
)

/** Bytes of one row of a file; the JSON of a row that fits is never longer, whatever it is written in. */
export const entryBytes = 2 * limits.rowBytes + 64 * 1024

/**
 * Hands on bytes that are whole UTF-8 characters. Throws {@link BrokenBody} at the first byte that is not, after handing on
 * the lines before it.
 */
export async function* textOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let kept: Buffer = Buffer.alloc(0)
  let first = true
  for await (const chunk of chunks) {
    const all = kept.length === 0 ? chunk : Buffer.concat([kept, chunk])
    if (first && all.length >= 2) {
      first = false
      refuseUtf16(all)
    }
    const end = wholeEnd(all)
    const whole = all.subarray(0, end)
    kept = Buffer.from(all.subarray(end))
    if (isUtf8(whole)) {
      if (whole.length > 0) yield whole
      continue
    }
    yield* goodLines(whole)
    throw notUtf8()
  }
  if (kept.length > 0) throw notUtf8()
}

function* goodLines(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; ) {
    const newline = bytes.indexOf(10, from)
    const line = bytes.subarray(from, newline < 0 ? bytes.length : newline + 1)
    if (!isUtf8(line)) return
    yield line
    from += line.length
  }
}

function notUtf8(): BrokenBody {
  return new BrokenBody('it is not UTF-8; convert the file first, such as with iconv -f WINDOWS-1252 -t UTF-8')
}

function refuseUtf16(bytes: Buffer): void {
  const mark = bytes.readUInt16BE(0)
  if (mark === 0xfeff || mark === 0xfffe)
    throw new BrokenBody('it is UTF-16; convert the file first: iconv -f UTF-16 -t UTF-8')
}

/** Where the last whole character ends. */
function wholeEnd(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return bytes.length
    if (byte < 0xc0) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return length > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}
