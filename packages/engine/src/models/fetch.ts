import { AnswerTooLarge } from './faults.ts'

/**
 * A fetch that gives up on answers of more than so many bytes, and follows no redirect: keys in headers would go along to
 * wherever it leads.
 */
export function cappedFetch(fetch: typeof globalThis.fetch, bytes: number): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, redirect: 'error' })
    if (!response.body) return response
    let come = 0
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          come += chunk.byteLength
          if (come > bytes) controller.error(new AnswerTooLarge(`more than ${bytes} bytes`))
          else controller.enqueue(chunk)
        },
      }),
    )
    return new Response(counted, response)
  }
}
