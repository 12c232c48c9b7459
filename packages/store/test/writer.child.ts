// Writes until it is killed, and says on standard output what was acknowledged: a line of trace ids for each request.
import { newTraces } from '../src/contract/room.contract.ts'
import { openStore, type StoreOptions } from '../src/open.ts'

const { options, project, writers, name } = JSON.parse(process.argv[2] ?? '{}') as {
  options: StoreOptions
  project: number
  writers: number
  name: string
}
const store = await openStore(options)
process.stdout.write('ready\n')
let sent = 0
await Promise.all(
  Array.from({ length: writers }, async () => {
    for (;;) {
      const traces = newTraces(4, () => ({ traceId: `${name}-${++sent}` }))
      await store.ingest(project, { traces })
      const [first] = traces
      if (first) await store.apply(project, verdict(first.traceId))
      process.stdout.write(`${traces.map((trace) => trace.traceId).join(' ')}\n`)
    }
  }),
)

function verdict(traceId: string) {
  const nobody = { reason: null, note: null, reviewer: null, expectedVersion: null }
  return { kind: 'review' as const, traceId, status: 'accepted' as const, at: 0, ...nobody }
}
