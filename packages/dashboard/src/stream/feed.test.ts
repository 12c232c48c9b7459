import type { StreamFrame, TraceDetail } from '@llm-eval/protocol'
import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { beforeEach, describe, expect, test } from 'vitest'
import { arrived, deleted, detail, judged, metrics, row } from '../../test/sample-traces.ts'
import { keys, type ListPage } from '../api/queries.ts'
import { newerThan } from '../pages/newer.ts'
import { createRecent } from './changes.ts'
import { createFeed, type Feed } from './feed.ts'
import type { FromTab, ToTab } from './hub.ts'

/** As long as a busy machine may take. */
const patient = { timeout: 60_000 }

let client: QueryClient
let feed: Feed
let hear: (message: ToTab) => void
let said: FromTab[]
let signedOut: number
let now: number

beforeEach(() => {
  client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY, retry: false } } })
  said = []
  signedOut = 0
  now = 1_700_000_000_000
  feed = createFeed({
    queryClient: client,
    recent: createRecent(),
    link(onMessage) {
      hear = onMessage
      return (message) => said.push(message)
    },
    onSignedOut: () => signedOut++,
    now: () => now,
    later: (callback) => setTimeout(callback, 1),
  })
})

const frames = (...list: StreamFrame[]): void => hear({ kind: 'frames', frames: list })

function list(...refs: number[]): { pages: ListPage[]; pageParams: unknown[] } {
  return {
    pages: [{ items: refs.map((ref) => row(ref)), next_cursor: null, searched_to: null, mark: 0 }],
    pageParams: [],
  }
}

const rowsOf = (search: object) => client.getQueryData<{ pages: ListPage[] }>(keys.list(search))?.pages[0]?.items

describe('frames', () => {
  test('change every list that shows the trace, wherever it is on the screen', () => {
    client.setQueryData(keys.list({}), list(2, 1))
    client.setQueryData(keys.list({ status: 'pending' }), list(2))
    frames(judged(2))
    for (const search of [{}, { status: 'pending' }])
      expect(rowsOf(search)?.[0]).toMatchObject({ evaluation_status: 'accepted' })
    expect(rowsOf({})?.[1]).toEqual(row(1))
  })

  test('change the open trace at once, and have its history read again', async () => {
    const read: number[] = []
    const stop = new QueryObserver<TraceDetail>(client, {
      queryKey: keys.detail('trace-1'),
      queryFn: () => {
        read.push(read.length)
        return detail(1, read.length > 1 ? { evaluation_status: 'accepted', version: 1, reviews: [] } : {})
      },
    }).subscribe(() => {})
    await expect.poll(() => read.length, patient).toBe(1)
    frames(judged(1))
    expect(client.getQueryData<TraceDetail>(keys.detail('trace-1'))).toMatchObject({
      evaluation_status: 'accepted',
      version: 1,
    })
    await expect.poll(() => read.length, patient).toBe(2)
    stop()
  })

  test('take deleted traces out of the lists', () => {
    client.setQueryData(keys.list({}), list(3, 2, 1))
    frames(deleted(2))
    expect(rowsOf({})?.map(({ ref }) => ref)).toEqual([3, 1])
  })

  test('replace the counters', () => {
    frames({ event: 'metrics_update', data: metrics({ total_traces: 8 }), timestamp: '' })
    expect(client.getQueryData(keys.metrics)).toEqual(metrics({ total_traces: 8 }))
  })

  test('are confirmed, so that the hub knows this tab is awake', () => {
    frames(arrived(row(1)))
    frames(arrived(row(2)))
    expect(said).toEqual([{ kind: 'done' }, { kind: 'done' }])
  })

  test('with new traces fill the tail, and leave the lists as they are', () => {
    client.setQueryData(keys.list({}), list(1))
    const before = client.getQueryData(keys.list({}))
    frames(arrived(row(2)), arrived(row(3)))
    expect(feed.tail.get().rows.map(({ ref }) => ref)).toEqual([3, 2])
    expect(client.getQueryData(keys.list({}))).toBe(before)
    now += 1_000
    expect(feed.rate.perSecond(now)).toBe(0.2)
  })
})

test('what is told twice is counted once where it is shown: traces that a list has, or has beyond its first page', () => {
  client.setQueryData(keys.list({}), list(9, 8, 7))
  const first = client.getQueryData<{ pages: ListPage[] }>(keys.list({}))?.pages[0]
  if (!first) throw new Error('the list is there')
  frames(arrived(row(5)), arrived(row(8)), arrived(row(9)), arrived(row(10)))
  const newer = (page: ListPage) => newerThan(page, feed.since(page.mark)).map(({ ref }) => ref)
  expect(newer({ ...first, next_cursor: 'more' })).toEqual([10])
  expect(newer(first)).toEqual([5, 10])
  expect(newer({ ...first, items: [], next_cursor: 'more' })).toEqual([5, 8, 9, 10])
})

test('what came since a list was read can be counted for each list by itself', () => {
  frames(arrived(row(1)))
  const mark = feed.mark()
  frames(arrived(row(2)), arrived(row(3)))
  expect(feed.since(mark).map(({ ref }) => ref)).toEqual([2, 3])
  expect(feed.since(feed.mark())).toEqual([])
  expect(feed.since(0)).toHaveLength(3)
})

describe('everything visible is read again', () => {
  async function watched(): Promise<number[]> {
    const read: number[] = []
    new QueryObserver(client, { queryKey: keys.facets, queryFn: () => read.push(1) }).subscribe(() => {})
    await expect.poll(() => read.length, patient).toBe(1)
    return read
  }

  test.each<[string, ToTab]>([
    ['frames are missing', { kind: 'resync' }],
    [
      'the server says so',
      {
        kind: 'frames',
        frames: [{ event: 'resync_required', data: { reason: 'expired', message: '' }, timestamp: '' }],
      },
    ],
    [
      'the tab joins a stream that is live already',
      { kind: 'hello', status: { state: 'live', since: 0 }, metrics: null, whole: false },
    ],
  ])('when %s', async (_when, message) => {
    const read = await watched()
    hear(message)
    await expect.poll(() => read.length, patient).toBe(2)
  })

  test('but not when the tab joins a live stream that tells everything since its page was delivered', async () => {
    const read = await watched()
    hear({ kind: 'hello', status: { state: 'live', since: 0 }, metrics: metrics(), whole: true })
    hear({ kind: 'status', status: { state: 'live', since: 0 } })
    frames(arrived(row(1)))
    await client.fetchQuery({ queryKey: ['after'], queryFn: () => 'all that was begun is done' })
    expect(read).toHaveLength(1)
    expect(client.isFetching()).toBe(0)
  })

  test('also what is being read at that moment: it may have been read too early', async () => {
    const answers: ((value: string) => void)[] = []
    const observer = new QueryObserver<string>(client, {
      queryKey: keys.settings,
      queryFn: () => new Promise<string>((resolve) => answers.push(resolve)),
    })
    observer.subscribe(() => {})
    expect(answers).toHaveLength(1)
    hear({ kind: 'resync' })
    await expect.poll(() => answers.length, patient).toBe(2)
    answers[0]?.('too early')
    answers[1]?.('right')
    await expect.poll(() => client.getQueryData(keys.settings), patient).toBe('right')
  })
})

describe('agent tests that changed', () => {
  const changed = (): void =>
    frames({ event: 'agent_test_updates', data: { action: 'baseline_accepted' }, timestamp: '' })

  function watch() {
    const answers: ((value: string) => void)[] = []
    new QueryObserver<string>(client, {
      queryKey: [...keys.agentTests, 'suites'],
      queryFn: () => new Promise<string>((resolve) => answers.push(resolve)),
    }).subscribe(() => {})
    return { answers, shown: () => client.getQueryData([...keys.agentTests, 'suites']) }
  }

  test('are read again, also when they are being read for the first time', async () => {
    const { answers, shown } = watch()
    expect(answers).toHaveLength(1)
    changed()
    await expect.poll(() => answers.length, patient).toBe(2)
    answers[0]?.('too early')
    answers[1]?.('right')
    await expect.poll(shown, patient).toBe('right')
  })

  test('are read once more after a reading however much came during it, and nothing cuts that one off', async () => {
    const { answers, shown } = watch()
    answers[0]?.('old')
    await expect.poll(shown, patient).toBe('old')
    changed()
    await expect.poll(() => answers.length, patient).toBe(2)
    for (let i = 0; i < 20; i++) changed()
    answers[1]?.('newer')
    await expect.poll(() => answers.length, patient).toBe(3)
    expect(shown()).toBe('newer')
    answers[2]?.('newest')
    await expect.poll(shown, patient).toBe('newest')
    expect(answers).toHaveLength(3)
  })

  test('leave everything else on the screen as it is', async () => {
    const read: number[] = []
    new QueryObserver(client, { queryKey: keys.facets, queryFn: () => read.push(1) }).subscribe(() => {})
    await expect.poll(() => read.length, patient).toBe(1)
    const { answers } = watch()
    changed()
    await expect.poll(() => answers.length, patient).toBe(2)
    expect(read).toHaveLength(1)
  })
})

test('an end of the session is told to the application', () => {
  hear({ kind: 'status', status: { state: 'signed_out' } })
  expect(signedOut).toBe(1)
  expect(feed.status.get()).toEqual({ state: 'signed_out' })
})

test('a hello brings the last counters, so that a new tab need not wait for the next ones', () => {
  hear({ kind: 'hello', status: { state: 'connecting' }, metrics: metrics(), whole: true })
  expect(client.getQueryData(keys.metrics)).toEqual(metrics())
})
