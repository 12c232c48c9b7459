import { workerData } from 'node:worker_threads'
import { openConnection } from './connection.ts'
import { createReads, type ReadCall } from './reads.ts'
import { serveThread } from './thread.ts'

const { path, searchPath } = workerData as { path: string; searchPath: string }
const connection = openConnection(path, {})
const reads = createReads(connection, searchPath)

serveThread({
  read: (call: ReadCall) => reads.read(call),
  close: () => {
    reads.close()
    connection.close()
  },
})
