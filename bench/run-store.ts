import { join } from 'node:path'
import { type NewRunItem, openStore, type Queries, type Store } from '@llm-eval/store'
import { openConnection } from '../packages/store/src/sqlite/connection.ts'
import { median, percentile } from '../packages/server/test/faults/percentile.ts'
import type { Bench } from './bench.ts'
import type { Row } from './report.ts'

/** Items of one change, and changes that wait at the same time. */
const batch = 250
const hands = 4
const metrics = ['exact', 'similar', 'polite']

/** Items of runs: stored with their events, and read again when there are many. */
export const runStore: Bench = async ({ quick, directory, say }) => {
  const items = quick ? 2_000 : 100_000
  const rounds = quick ? 20 : 300
  const store = await openStore({ directory: join(directory, 'runs') })
  try {
    say('storing')
    const bare = insertBare(join(directory, 'bare.db'), items)
    const [first, second] = [await fill(store, items), await fill(store, items)]
    await settled(store)
    say('reading')
    const note = `a run of ${items.toLocaleString('en-US')} items`
    const pages = await pageTimes(store, { ref: second.ref, items, rounds })
    const columns = await times(quick ? 1 : 5, async () => {
      for (const { ref } of [first, second]) await readColumns(store, ref)
    })
    const row = (name: string, took: number[]): Row => {
      return { name: `${name}, p99`, value: percentile(took, 0.99), unit: 'ms', target: { atMost: 15 }, note }
    }
    return [
      {
        name: `items of runs stored with their events, ${metrics.length} metrics, batches of ${batch}`,
        value: median([first.perSecond, second.perSecond]),
        unit: 'items/s',
        peer: { name: 'bare SQLite driver, items and bodies without events', value: bare },
        target: { atLeast: 10_000 },
      },
      row('page of 50 items', pages.plain),
      row('the same with bodies', pages.whole),
      row('50 items that failed', pages.failed),
      { name: 'numbers of two runs', value: median(columns), unit: 'ms', target: { atMost: 1_000 }, note },
      {
        name: '500 events of one run, with their items, p50',
        value: median(pages.events),
        unit: 'ms',
        note: 'what a watcher gets that comes back',
      },
    ]
  } finally {
    await store.close()
  }
}

function item(itemIndex: number): NewRunItem {
  const scores = metrics.map((_, at) => ({
    outcome: 'scored' as const,
    value: ((itemIndex * (at + 7)) % 100) / 100,
    passed: at > 0,
  }))
  const whole = scores.map((score) => ({
    ...score,
    explanation: 'The answer names the same city.',
    output: {},
    duration_ms: 0.02,
  }))
  return {
    itemIndex,
    caseId: `case-${itemIndex}`,
    repetition: 1,
    status: itemIndex % 50 === 0 ? 'failed' : 'success',
    responseMs: (itemIndex % 997) / 3,
    costNano: 2_000,
    tokens: 130,
    attempts: 1,
    startedAt: 1_750_000_000_000,
    completedAt: 1_750_000_000_400,
    scores,
    hash: `0123456789abcdef0123456789abcdef-${itemIndex}`,
    spent: { costNano: 2_000, unknown: false },
    preview: 'Paris is the capital and the largest city of France.',
    error: null,
    traceId: null,
    sourceTraceId: null,
    body: {
      input: JSON.stringify({ question: 'What is the capital of France, and since when? '.repeat(4) }),
      expected: '"Paris"',
      output: JSON.stringify('Paris is the capital and the largest city of France. '.repeat(6)),
      scores: JSON.stringify(Object.fromEntries(whole.map((score, at) => [metrics[at], score]))),
    },
  }
}

let made = 0

async function fill(store: Store, items: number): Promise<{ ref: number; perSecond: number }> {
  const id = `run-${++made}`
  const none = {
    description: null,
    modelName: null,
    modelVersion: null,
    taskType: null,
    environment: null,
    createdBy: null,
  }
  const dataset = { datasetId: null, datasetName: 'capitals', datasetVersion: null }
  const texts = {
    tags: [],
    metadata: '{}',
    config: '{}',
    task: '{"kind":"client"}',
    settings: '{}',
    metrics: '[]',
    metricNames: metrics,
  }
  const run = { id, hash: id, name: id, worker: 'client' as const, total: items, ...none, ...dataset, ...texts }
  const at = Date.now()
  const out = await store.apply(1, { kind: 'createRun', run, owner: 'bench', at, leaseMs: 1e9 })
  if (!('run' in out)) throw new Error(`the run was not made: ${out.result}`)
  let next = 0
  const began = performance.now()
  const hand = async () => {
    while (next < items) {
      const from = next
      next += batch
      const given = Array.from({ length: Math.min(batch, items - from) }, (_, i) => item(from + i))
      const stored = await store.apply(1, { kind: 'addItems', id, items: given, lease: null, at })
      if (stored.result !== 'ok') throw new Error(`the items were not taken: ${stored.result}`)
    }
  }
  await Promise.all(Array.from({ length: hands }, hand))
  return { ref: out.run.ref, perSecond: (items * 1_000) / (performance.now() - began) }
}

/** Items per second of the least that has to be done: their rows and bodies, durable, in the same batches. */
function insertBare(path: string, items: number): number {
  const db = openConnection(path, { write: 'full' })
  db.exec(
    'CREATE TABLE items (run BIGINT, at BIGINT, case_id TEXT, numbers TEXT, preview TEXT, PRIMARY KEY (run, at)) WITHOUT ROWID',
  )
  db.exec(
    'CREATE TABLE bodies (run BIGINT, at BIGINT, input TEXT, expected TEXT, output TEXT, scores TEXT, PRIMARY KEY (run, at))',
  )
  const insertItem = db.prepare('INSERT INTO items VALUES (1,?,?,?,?)')
  const insertBody = db.prepare('INSERT INTO bodies VALUES (1,?,?,?,?,?)')
  const insert = db.transaction((from: number) => {
    for (let at = from; at < Math.min(from + batch, items); at++) {
      const { caseId, scores, preview, body } = item(at)
      insertItem.run(at, caseId, JSON.stringify(scores), preview)
      insertBody.run(at, body.input, body.expected, body.output, body.scores)
    }
  })
  const began = performance.now()
  for (let from = 0; from < items; from += batch) insert(from)
  const perSecond = (items * 1_000) / (performance.now() - began)
  db.close()
  return perSecond
}

/** What consumers still have to read must not slow down what is measured next. */
async function settled(store: Store): Promise<void> {
  for (;;) {
    const { search, rollups } = await store.read(1, 'lags', {})
    if (search + rollups === 0) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function times(rounds: number, work: () => Promise<unknown>): Promise<number[]> {
  await work()
  const took: number[] = []
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    await work()
    took.push(performance.now() - began)
  }
  return took
}

async function pageTimes(store: Store, { ref, items, rounds }: { ref: number; items: number; rounds: number }) {
  const somewhere = () => Math.floor(Math.random() * items)
  const page = (more: Partial<Queries['runItems']['in']>) =>
    store.read(1, 'runItems', {
      ref,
      filter: {},
      limit: 50,
      cursor: Buffer.from(`i${somewhere()}`).toString('base64url'),
      sliceMs: 50,
      bodies: 'without',
      bytes: 1e6,
      ...more,
    })
  return {
    plain: await times(rounds, () => page({})),
    whole: await times(rounds, () => page({ bodies: 'with' })),
    failed: await times(rounds, () => page({ filter: { status: 'failed' } })),
    events: await times(Math.ceil(rounds / 3), () =>
      store.read(1, 'runEvents', { ref, after: items + somewhere(), limit: 500, bytes: 1e6 }),
    ),
  }
}

async function readColumns(store: Store, ref: number): Promise<void> {
  for (let after = -1; ; ) {
    const { itemIndex } = await store.read(1, 'runColumns', { ref, after, limit: 10_000 })
    const last = itemIndex.at(-1)
    if (last === undefined) return
    after = last
  }
}
