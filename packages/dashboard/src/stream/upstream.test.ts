import { createServer, type ServerResponse } from 'node:http'
import type { StreamFrame } from '@llm-eval/protocol'
import { afterEach, expect, test } from 'vitest'
import { arrived, row } from '../../test/sample-traces.ts'
import type { Upstream } from './hub.ts'
import { upstreamOf } from './upstream.ts'

/** A server whose reader may be of another project at the next connection. All projects share the epoch. */
interface Journal {
  url: string
  /** Whose events the next connection tells. */
  project: string
  /** Where its journal stands. */
  head: number
  /** After which place each connection was asked for; null: from now on. */
  asked: (string | null)[]
  /** Tells the connection that was opened last. */
  tell: (seq: number) => void
  /** Breaks the connection that was opened last. */
  cut: () => void
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close()
})

async function startJournal(): Promise<Journal> {
  let last: ServerResponse | undefined
  const journal: Journal = {
    url: '',
    project: 'first',
    head: 100,
    asked: [],
    tell: (seq) => void last?.write(message(arrived(row(seq)), seq)),
    cut: () => void last?.destroy(),
  }
  const server = createServer((request, response) => {
    last = response
    const resumed = request.headers['last-event-id']
    const after = resumed === undefined ? null : String(resumed)
    journal.asked.push(after)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const { project, head } = journal
    const begin = Number(after?.split('.')[1] ?? head)
    response.write(message({ event: 'connected', client_id: 'a', project, timestamp: '' }, begin))
    // All that is kept after the place.
    for (let seq = begin + 1; seq <= head; seq++) journal.tell(seq)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  journal.url = `http://127.0.0.1:${address.port}`
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return journal
}

const message = (frame: StreamFrame, seq: number) => `id: e.${seq}\ndata: ${JSON.stringify(frame)}\n\n`

/** Opens the stream and notes what is told: how it begins, and the traces. */
function follow(journal: Journal, after: string | null): { told: (string | number)[]; upstream: Upstream } {
  const told: (string | number)[] = []
  const upstream = upstreamOf(journal.url)(
    {
      onBegin: (from) => told.push(from),
      onFrame: (frame) => {
        if (frame.event === 'trace_updates' && frame.data.trace) told.push(frame.data.trace.ref)
      },
      onStatus: () => {},
    },
    after === null ? null : { project: 'first', cursor: after },
  )
  closing.push(() => upstream.close())
  return { told, upstream }
}

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 })

test('begins after the place it is given, and goes on there after a break', async () => {
  const journal = await startJournal()
  const { told, upstream } = follow(journal, 'e.98')
  await eventually(() => told).toEqual(['place', 99, 100])
  expect(upstream.place()).toEqual({ project: 'first', cursor: 'e.100' })
  upstream.retry()
  await eventually(() => told).toEqual(['place', 99, 100, 'place'])
  expect(journal.asked).toEqual(['e.98', 'e.100'])
})

test.each<[string, (journal: Journal, upstream: Upstream) => void]>([
  ['opened anew', (_, upstream) => upstream.retry()],
  ['resumed after a break', (journal) => journal.cut()],
])('%s in another project it begins from now on, and hands on nothing of what is kept there', async (_, reopen) => {
  const journal = await startJournal()
  const { told, upstream } = follow(journal, 'e.98')
  await eventually(() => told).toEqual(['place', 99, 100])
  Object.assign(journal, { project: 'second', head: 200 })
  reopen(journal, upstream)
  await eventually(() => told.slice(3)).toEqual(['now'])
  journal.tell(201)
  await eventually(() => told.slice(3)).toEqual(['now', 201])
  expect(upstream.place()).toEqual({ project: 'second', cursor: 'e.201' })
  expect(journal.asked).toEqual(['e.98', 'e.100', null])
})
