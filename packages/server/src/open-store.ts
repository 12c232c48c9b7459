import { openStore, type Store } from '@llm-eval/store'
import type { Config } from './config/config.ts'

/** How a store is opened that a configuration names. */
export interface StoreWatch {
  /** Milliseconds since 1970. */
  now: () => number
  /** Is told of faults of background work, which goes on. */
  onError: (error: unknown) => void
  /** An embedded store does with as little as it can until it resolves. */
  lean?: Promise<void>
}

/** Opens the store that a configuration names. @throws {DataDirectoryBusy} when another process holds the data directory */
export function openConfiguredStore(config: Config, watch: StoreWatch): Promise<Store> {
  return openStore({
    directory: config.data,
    synchronous: config.synchronous,
    ...(config.database_url === null ? {} : { databaseUrl: config.database_url }),
    poolSize: config.pool_size,
    ...watch,
  })
}
