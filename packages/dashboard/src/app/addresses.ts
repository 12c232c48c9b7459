/**
 * What pages read out of their address. Each page reads with these where it uses an address, and not only where the
 * router checks it: the router hands on what no check has named as it stands there.
 */
import {
  type CaseChange,
  caseChanges,
  conversationStates,
  evaluatorCategories,
  type EvaluatorCategory,
  type EvaluatorKind,
  evaluatorKinds,
  limits,
  variantPattern,
} from '@llm-eval/protocol'
import { type ListSearch, type Range, ranges, readSearch } from '../api/filters.ts'
import type { Bound } from '../api/comparisons.ts'
import type { ConversationSearch } from '../api/conversations.ts'
import { type ItemSearch, readItemSearch } from '../api/item-filters.ts'

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

/** Which conversations are listed. */
export function readConversations({ q, state, target, user }: Given): ConversationSearch {
  const known = conversationStates.find((name) => name === state)
  return {
    ...(typeof q === 'string' && q.trim() !== '' ? { q: q.slice(0, limits.searchChars) } : {}),
    ...(known ? { state: known } : {}),
    ...(typeof target === 'string' && target !== '' ? { target: target.slice(0, limits.nameChars) } : {}),
    ...(typeof user === 'string' && user !== '' ? { user: user.slice(0, limits.nameChars) } : {}),
  }
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

/** Which view of a run; absent is the overview. */
export const runTabs = ['metrics', 'items', 'errors', 'configuration'] as const
export type RunTab = (typeof runTabs)[number]
export type RunTabSearch = ItemSearch & {
  tab?: RunTab
  /** Index of the item that is open. */
  item?: string
}

export function readRunTab(given: Given): RunTabSearch {
  const { item } = given
  const opened = typeof item === 'string' && /^\d{1,7}$/.test(item) && Number(item) < limits.runItems ? item : undefined
  // A link to an item need not say on which tab items are.
  const tab = runTabs.find((name) => name === given.tab) ?? (opened === undefined ? undefined : 'items')
  return { ...readItemSearch(given), ...(tab ? { tab } : {}), ...(opened === undefined ? {} : { item: opened }) }
}

/** Which cases of a suite are shown. */
export interface TestSuiteSearch {
  q?: string
  show?: 'bad' | 'flaky' | 'quarantined' | undefined
}

export function readTestSuite({ q, show }: Given): TestSuiteSearch {
  return {
    ...(typeof q === 'string' && q !== '' ? { q: q.slice(0, 200) } : {}),
    ...(show === 'bad' || show === 'flaky' || show === 'quarantined' ? { show } : {}),
  }
}

/** Which result of a case is shown, and what it is held against; absent is what the server finds fit. */
export interface TestCaseSearch {
  report?: string
  variant?: string
  attempt?: string
}

export function readTestCase({ report, variant, attempt }: Given): TestCaseSearch {
  return {
    ...(typeof report === 'string' && report !== '' ? { report: report.slice(0, limits.nameChars) } : {}),
    ...(typeof variant === 'string' && variantPattern.test(variant) ? { variant } : {}),
    ...(typeof attempt === 'string' && /^\d{1,3}$/.test(attempt) ? { attempt } : {}),
  }
}

/** What a new run begins with. */
export interface NewRunSearch {
  /** Id of the run that is done again. */
  from?: string
  /** Slug of the dataset. */
  dataset?: string
}

export function readNewRun({ from, dataset }: Given): NewRunSearch {
  return {
    ...(typeof from === 'string' && from !== '' ? { from } : {}),
    ...(typeof dataset === 'string' && dataset !== '' ? { dataset } : {}),
  }
}

/** Which runs are compared, which of their cases are shown, and what the gate is asked. */
export interface CompareSearch {
  /** Ids with commas between, the one that the others are held against first; see {@link comparedRuns}. */
  runs?: string
  /** The metric by which cases are sorted and drawn. */
  sort?: string
  change?: Exclude<CaseChange, 'all'>
  /** Id of the case that is open. */
  case?: string
  fail?: 'regression'
  /** Metrics and numbers, with a colon in each and commas between; see {@link boundsOf}. */
  min?: string
  max?: string
  partial?: 'allowed'
}

export function readCompare(given: Given): CompareSearch {
  const { fail, partial } = given
  const word = <K extends string>(name: K): { [N in K]?: string } => {
    const value = given[name]
    return typeof value === 'string' && value !== '' ? ({ [name]: value } as { [N in K]?: string }) : {}
  }
  const change = caseChanges.find((known) => known === given.change)
  return {
    ...word('runs'),
    ...word('sort'),
    ...(change === undefined || change === 'all' ? {} : { change }),
    ...word('case'),
    ...(fail === 'regression' ? { fail } : {}),
    ...word('min'),
    ...word('max'),
    ...(partial === 'allowed' ? { partial } : {}),
  }
}

/** The ids in an address, each once, at most as many as are compared. */
export function comparedRuns({ runs = '' }: CompareSearch): string[] {
  return [...new Set(parted(runs))].filter((id) => id !== '').slice(0, limits.comparedRuns)
}

/** The ids as an address holds them: an id may have a comma itself. */
export function compareSearch(ids: readonly string[]): CompareSearch {
  return { runs: joined(ids) }
}

/** The bounds in an address, the last one of each metric; what is none is left out. */
export function boundsOf(text = ''): Bound[] {
  const bounds = parted(text).flatMap((part): Bound[] => {
    const at = part.lastIndexOf(':')
    const number = part.slice(at + 1).trim()
    const bound = number === '' ? Number.NaN : Number(number)
    return at > 0 && Number.isFinite(bound) ? [[part.slice(0, at), bound]] : []
  })
  return [...new Map(bounds)].slice(0, limits.gateBounds)
}

export function boundsText(bounds: readonly Bound[]): string | undefined {
  return bounds.length === 0 ? undefined : joined(bounds.map(([metric, bound]) => `${metric}:${bound}`))
}

function parted(text: string): string[] {
  return text.split(',').map((part) => part.replaceAll('%2C', ',').replaceAll('%25', '%'))
}

function joined(parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll('%', '%25').replaceAll(',', '%2C')).join(',')
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
