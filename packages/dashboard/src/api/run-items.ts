import {
  type RunErrors,
  type RunItemPreview,
  runItemStatuses,
  runRoutes,
  scoreFaults,
  scoreOutcomes,
  taskFaults,
} from '@llm-eval/protocol'
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { flag, list, nullable, number, oneOf, record, shape, text, type Check } from './checks.ts'
import type { Api } from './client.ts'
import { type ItemSearch, itemsQueryOf } from './item-filters.ts'

type PreviewScore = RunItemPreview['scores'][string]
const score = shape<PreviewScore>({ outcome: oneOf(scoreOutcomes), value: nullable(number), passed: nullable(flag) })
const scores: Check<RunItemPreview['scores']> = (value, path) =>
  Object.fromEntries(Object.entries(record(value, path)).map(([name, one]) => [name, score(one, `${path}.${name}`)]))

const preview = shape<RunItemPreview>({
  item_id: text,
  item_index: number,
  case_id: text,
  repetition: number,
  status: oneOf(runItemStatuses),
  input: nullable(text),
  expected: nullable(text),
  output: nullable(text),
  scores,
  error: nullable(
    shape<NonNullable<RunItemPreview['error']>>({
      code: oneOf(taskFaults),
      message: text,
    }),
  ),
  attempts: number,
  response_time_ms: nullable(number),
  tokens: nullable(number),
  cost: nullable(number),
  trace_id: nullable(text),
  completed_at: nullable(text),
})

/** A page of items in short. It may be short, or empty, while `next_cursor` leads on. */
export interface PreviewPage {
  items: RunItemPreview[]
  next_cursor: string | null
  /** The index up to which the filters looked; null on the last page. */
  searched_to: number | null
}
const previewPage = shape<PreviewPage>({
  items: list(preview),
  next_cursor: nullable(text),
  searched_to: nullable(number),
})

const errors = shape<RunErrors>({
  items: list(
    shape<RunErrors['items'][number]>({
      metric: nullable(text),
      code: oneOf([...taskFaults, ...scoreFaults]),
      pattern: text,
      count: number,
      examples: list(
        shape<RunErrors['items'][number]['examples'][number]>({ item_index: number, case_id: text, message: text }),
      ),
    }),
  ),
  others: number,
  examined: number,
  complete: flag,
})

/** Rows of one page. */
export const pageItems = 100
/** How long one page may search before the reader is asked whether to go on. Milliseconds. */
const patienceMs = 3_000
/** Pages that nobody looks at any more are forgotten after this time, so that a long way through a run stays small. Milliseconds. */
const forgetMs = 60_000

/** Keys of the cache: items are not under `run`, so that what becomes of the run does not have each page of them read again. */
const itemKeys = {
  all: (runId: string) => ['run-items', runId] as const,
  page: (runId: string, page: number) => ['run-items', runId, 'page', page] as const,
  beyond: (runId: string, index: number) => ['run-items', runId, 'beyond', index] as const,
  found: (runId: string, search: ItemSearch) => ['run-items', runId, 'found', search] as const,
}

/** How items of runs are read in short. */
export function runItemQueries(api: Api) {
  const read = (runId: string, query: URLSearchParams, signal: AbortSignal): Promise<PreviewPage> =>
    api({ route: runRoutes.listRunItemPreviews, path: { run_id: runId }, query, answer: previewPage, signal })

  async function search(runId: string, query: URLSearchParams, signal: AbortSignal): Promise<PreviewPage> {
    const giveUp = performance.now() + patienceMs
    const items: RunItemPreview[] = []
    for (;;) {
      const given = await read(runId, query, signal)
      items.push(...given.items)
      // The server searches a slice at a time. Short ones are put together here, the reader need not ask for each.
      const isShort = given.next_cursor !== null && given.searched_to !== null && items.length < pageItems
      if (!isShort || performance.now() >= giveUp) return { ...given, items }
      query.set('cursor', given.next_cursor ?? '')
    }
  }

  return {
    all: itemKeys.all,
    /** The finished ones of the items from a place on: page n begins at index `n * pageItems`. */
    page: (runId: string, page: number) =>
      queryOptions({
        queryKey: itemKeys.page(runId, page),
        queryFn: async ({ signal }) => {
          const from = page * pageItems
          const query = new URLSearchParams({ from: String(from), limit: String(pageItems) })
          const { items } = await read(runId, query, signal)
          return items.filter(({ item_index: index }) => index < from + pageItems)
        },
        gcTime: forgetMs,
        staleTime: 2_000,
      }),
    /** Whether any item is there from an index on. */
    beyond: (runId: string, index: number) =>
      queryOptions({
        queryKey: itemKeys.beyond(runId, index),
        queryFn: async ({ signal }) => {
          const query = new URLSearchParams({ from: String(index), limit: '1' })
          return (await read(runId, query, signal)).items.length > 0
        },
        gcTime: forgetMs,
        staleTime: 2_000,
      }),
    /** Those that fit, in the order of the dataset. */
    found: (runId: string, wanted: ItemSearch) =>
      infiniteQueryOptions({
        queryKey: itemKeys.found(runId, wanted),
        initialPageParam: '',
        queryFn: ({ pageParam, signal }) => {
          const query = itemsQueryOf(wanted)
          query.set('limit', String(pageItems))
          if (pageParam !== '') query.set('cursor', pageParam)
          return search(runId, query, signal)
        },
        getNextPageParam: (last) => last.next_cursor,
        gcTime: forgetMs,
        staleTime: 2_000,
      }),
    /** What went wrong, in groups. */
    errors: (runId: string) =>
      queryOptions({
        queryKey: ['run-errors', runId] as const,
        queryFn: ({ signal }) =>
          api({ route: runRoutes.getRunErrors, path: { run_id: runId }, answer: errors, signal }),
        staleTime: 2_000,
        placeholderData: keepPreviousData,
      }),
  }
}
