import { constants, setPriority } from 'node:os'
import { workerData } from 'node:worker_threads'
import { openConnection } from './connection.ts'
import { SearchIndexer } from './indexer.ts'
import { serveThread } from './thread.ts'

// Ingest goes first: on Linux this is the priority of this thread alone, and where cores are scarce the index takes a tenth
// of one until there is time. Elsewhere it would be that of the whole process.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL)

const { path, searchPath } = workerData as { path: string; searchPath: string }
const main = openConnection(path, {})
const indexer = new SearchIndexer(searchPath, main)

serveThread({
  // One step a call, so that closing waits for one step at most.
  step: (projectId: number) => indexer.step(projectId, Date.now()),
  /** Of traces that have been deleted for so long. */
  purge: (ms: number) => indexer.purge(Date.now() - ms),
  close: () => {
    indexer.close()
    main.close()
  },
})
