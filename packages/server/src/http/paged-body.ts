import { Readable } from 'node:stream'

/**
 * A long answer that is read page by page, with one page in memory: the next one is read when the receiver has taken this one, and
 * none when it went away. The first page is read before this resolves, so that what fails at once still fails with a status; what
 * fails later destroys the stream, so that a cut off answer is seen to be one.
 */
export async function pagedBody(pages: AsyncGenerator<Buffer>): Promise<Readable> {
  const first = await pages.next()
  async function* all() {
    if (first.done) return
    yield first.value
    yield* pages
  }
  // Bytes, so that the receiver's buffer is measured in what it holds.
  return Readable.from(all(), { objectMode: false, highWaterMark: 64 * 1024 })
}
