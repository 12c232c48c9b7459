/**
 * What pages read out of their address. Each page reads with these where it uses an address, and not only where the
 * router checks it: the router hands on what no check has named as it stands there.
 */
import { evaluatorCategories, type EvaluatorCategory, type EvaluatorKind, evaluatorKinds } from '@llm-eval/protocol'
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

/** Which evaluators the catalogue shows. */
export interface CatalogueSearch {
  q?: string
  kind?: EvaluatorKind
  category?: EvaluatorCategory
  source?: 'builtin' | 'custom'
  view?: 'rules'
}

export function readCatalogue({ q, kind, category, source, view }: Given): CatalogueSearch {
  const knownKind = evaluatorKinds.find((name) => name === kind)
  const knownCategory = evaluatorCategories.find((name) => name === category)
  return {
    ...(typeof q === 'string' && q.trim() !== '' ? { q: q.slice(0, 200) } : {}),
    ...(knownKind ? { kind: knownKind } : {}),
    ...(knownCategory ? { category: knownCategory } : {}),
    ...(source === 'builtin' || source === 'custom' ? { source } : {}),
    ...(view === 'rules' ? { view } : {}),
  }
}

/** Which version of a dataset; absent is the draft. */
export function readDatasetSearch({ version }: Given): { version?: string } {
  return typeof version === 'string' && version !== '' ? { version } : {}
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
