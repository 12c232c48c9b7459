import { afterAll, beforeAll, describe } from 'vitest'
import { accessContract } from './contract/access.contract.ts'
import { agentTestsContract } from './contract/agent-tests.contract.ts'
import { conversationDeletionContract } from './contract/conversation-deletion.contract.ts'
import { conversationHoldsContract } from './contract/conversation-holds.contract.ts'
import { conversationsContract } from './contract/conversations.contract.ts'
import { countersContract } from './contract/counters.contract.ts'
import { datasetDeletionContract } from './contract/dataset-deletion.contract.ts'
import { datasetsContract } from './contract/datasets.contract.ts'
import { deletionContract } from './contract/deletion.contract.ts'
import { experimentsContract } from './contract/experiments.contract.ts'
import { evaluationContract } from './contract/evaluation.contract.ts'
import { executionsContract } from './contract/executions.contract.ts'
import { ingestContract } from './contract/ingest.contract.ts'
import { jobsContract } from './contract/jobs.contract.ts'
import { journalContract } from './contract/journal.contract.ts'
import { lifetimeContract } from './contract/lifetime.contract.ts'
import { judgingOrderContract } from './contract/judging-order.contract.ts'
import { listsContract } from './contract/lists.contract.ts'
import { projectsContract } from './contract/projects.contract.ts'
import { reviewContract } from './contract/review.contract.ts'
import { runItemsContract } from './contract/run-items.contract.ts'
import { runDeletionContract } from './contract/run-deletion.contract.ts'
import { runEventsContract } from './contract/run-events.contract.ts'
import { runItemListsContract } from './contract/run-item-lists.contract.ts'
import { runListsContract } from './contract/run-lists.contract.ts'
import { runStatusesContract } from './contract/run-statuses.contract.ts'
import { runWorkersContract } from './contract/run-workers.contract.ts'
import { runsContract } from './contract/runs.contract.ts'
import { rulesContract } from './contract/rules.contract.ts'
import { scoresContract } from './contract/scores.contract.ts'
import { searchContract } from './contract/search.contract.ts'
import { spansContract } from './contract/spans.contract.ts'
import { makeRoom, type OpenStoreUnderTest, type StoreUnderTest } from './contract/room.contract.ts'

/** What every driver promises. Most tests share one store, each in a project of its own. */
export function storeContract(name: string, open: OpenStoreUnderTest): void {
  describe(`${name} keeps the store's promises:`, () => {
    let shared: StoreUnderTest
    const faults: unknown[] = []
    beforeAll(async () => {
      shared = await open({ onError: (error) => faults.push(error) })
    })
    afterAll(async () => {
      await shared[Symbol.asyncDispose]()
      if (faults.length > 0) throw new AggregateError(faults, 'background work failed')
    })
    const room = () => makeRoom(shared)

    ingestContract(room)
    reviewContract(room)
    deletionContract(room)
    spansContract(room)
    accessContract(room)
    jobsContract(room)
    journalContract(room)
    countersContract(room)
    projectsContract(room)
    lifetimeContract(open)
    listsContract(room)
    searchContract(room)
    evaluationContract(room)
    executionsContract(room)
    scoresContract(room)
    rulesContract(room, open)
    judgingOrderContract(room)
    datasetsContract(room)
    datasetDeletionContract(room)
    experimentsContract(room)
    runsContract(room)
    runWorkersContract(room)
    runItemsContract(room)
    runListsContract(room)
    runItemListsContract(room)
    runEventsContract(room)
    runDeletionContract(room)
    runStatusesContract(room)
    agentTestsContract(room)
    conversationsContract(room)
    conversationHoldsContract(room)
    conversationDeletionContract(room, open)
  })
}
