import { openStore, type StoreOptions } from '../open.ts'
import type { StoreUnderTest } from './room.contract.ts'

/** A store that can be closed and opened again where it was. */
export async function reopenable(
  options: StoreOptions,
  rest: { dump: () => Promise<string>; end: () => Promise<void> },
): Promise<StoreUnderTest> {
  let store = await openStore(options)
  return {
    get store() {
      return store
    },
    dump: rest.dump,
    async reopen() {
      await store.close()
      store = await openStore(options)
      return store
    },
    async [Symbol.asyncDispose]() {
      await store.close()
      await rest.end()
    },
  }
}
