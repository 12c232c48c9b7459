/** What of a run is finished, for whoever goes on with it. */
import { itemIdOf } from '@llm-eval/engine'
import type { RunItem } from '@llm-eval/protocol'
import type { Store, StoredRun } from '@llm-eval/store'

/** Ids of finished items that are read at a time. */
const idPage = 10_000

export interface FinishedItems {
  has: (itemId: string, itemIndex: number) => boolean
  /** The index under which a new item is kept. */
  indexOf: (item: Pick<RunItem, 'item_index'>) => number
}

/**
 * Reads what is finished. In a version of a dataset a case is always at the same place. Rows of a draft come and go: there
 * items are known by their ids, and one whose place is taken by a case that was there before gets another.
 */
export async function finishedOf(
  store: Store,
  { projectId, run }: { projectId: number; run: Pick<StoredRun, 'ref' | 'datasetVersion'> },
): Promise<FinishedItems> {
  const places = new Set<number>()
  const ids = run.datasetVersion === null ? new Set<string>() : null
  for (let after = -1; ; ) {
    const page = await store.read(projectId, 'runItemIds', { ref: run.ref, after, limit: idPage })
    for (const [at, index] of page.itemIndex.entries()) {
      places.add(index)
      ids?.add(itemIdOf(page.caseId[at] ?? '', page.repetition[at] ?? 1))
    }
    const last = page.itemIndex.at(-1)
    if (last === undefined) break
    after = last
  }
  if (!ids) return { has: (_id, index) => places.has(index), indexOf: ({ item_index: index }) => index }
  let free = 0
  return {
    has: (id) => ids.has(id),
    indexOf({ item_index: wanted }) {
      let index = wanted
      for (; places.has(index); index = free++);
      places.add(index)
      return index
    },
  }
}
