import type { Store } from '@llm-eval/store'

/** A store that does what the given one does, and notes the name of each query and change it is asked for. */
export function watched(store: Store, seen: string[]): Store {
  return {
    driver: store.driver,
    ingest: (...args) => store.ingest(...args),
    apply: (project, change) => {
      seen.push(change.kind)
      return store.apply(project, change)
    },
    read: (project, query, args) => {
      seen.push(query)
      return store.read(project, query, args)
    },
    follow: (...args) => store.follow(...args),
    consume: (...args) => store.consume(...args),
    onCommit: (...args) => store.onCommit(...args),
    stats: () => store.stats(),
    ping: () => store.ping(),
    backup: (...args) => store.backup(...args),
    close: () => store.close(),
  }
}
