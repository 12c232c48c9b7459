/**
 * What pages read out of their address. Each page reads with these where it uses an address, and not only where the
 * router checks it: the router hands on what no check has named as it stands there.
 */
import { type ListSearch, type Range, ranges, readSearch } from '../api/filters.ts'

type Given = Record<string, unknown>

/** What the Live page shows. */
export interface LiveSearch {
  window?: Range
  model?: string
}

export function readLive({ window, model }: Given): LiveSearch {
  return {
    ...(typeof window === 'string' && Object.hasOwn(ranges, window) ? { window: window as Range } : {}),
    ...(typeof model === 'string' && model !== '' ? { model } : {}),
  }
}

/** Which view of a trace; absent is the chat. */
export interface TabSearch {
  tab?: 'functions' | 'metadata'
}

export function readTab({ tab }: Given): TabSearch {
  return tab === 'functions' || tab === 'metadata' ? { tab } : {}
}

/** Which traces are reviewed. */
export type ReviewSearch = Pick<ListSearch, 'model' | 'source'>

export function readReview(given: Given): ReviewSearch {
  const { model, source } = readSearch(given)
  return { ...(model ? { model } : {}), ...(source ? { source } : {}) }
}

export interface SignInSearch {
  /** Of a sign-in link. */
  token?: string
  /** Where to go then. */
  next?: string
}

export function readSignIn({ token, next }: Given): SignInSearch {
  return {
    ...(typeof token === 'string' && token !== '' ? { token } : {}),
    // Only a place on this site: `//host` and `/\\host` would be another one.
    ...(typeof next === 'string' && /^\/(?![/\\])/.test(next) ? { next } : {}),
  }
}
