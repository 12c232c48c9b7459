import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  agentRoutes,
  conversationRoutes,
  datasetRoutes,
  evaluationRoutes,
  failureTable,
  limits,
  routes,
  runRoutes,
  runSocketRoutes,
  traceloopRoutes,
} from '@llm-eval/protocol'
import * as schemas from '@llm-eval/protocol/schemas'
import { describe, expect, test } from 'vitest'
import { settings } from '../../packages/server/src/config/names.ts'
import { createMeters } from '../../packages/server/src/meters/meters.ts'
import { generatedPages } from './generated.ts'
import { anchorsOf, blocksOf, codeWordsOf, linksOf, pages, proseOf, root, text } from './markdown.ts'
import { settingWords } from './settings-words.ts'

const all = pages()
const api = text('docs/reference/api.md')

describe.each(all)('%s', (page) => {
  test('links to places that exist', () => {
    const broken = linksOf(page).filter(({ path, anchor }) => {
      if (!existsSync(join(root, path))) return true
      return anchor !== undefined && path.endsWith('.md') && !anchorsOf(text(path)).includes(anchor)
    })
    expect(broken).toEqual([])
  })

  test('speaks of routes, settings, flags and measurements that exist', () => {
    const code = [...codeWordsOf(text(page)), ...blocksOf(text(page)).map((block) => block.code)]
    const unknown = code.flatMap((words) => [
      ...missing(words, /\b(?:GET|POST|PUT|PATCH|DELETE) (\/[^\s`'"?]*)/g, isRoute),
      ...missing(words, /\b(LLM_EVAL_[A-Z_]+)\b/g, (name) => variables.has(name)),
      ...missing(words, /\b(llm_eval_(?!session)\w+)/g, (name) =>
        meters.has(name.replace(/_(?:bucket|sum|count)$/, '')),
      ),
      ...missing(words, /(?<![-\w])limits\.(\w+)/g, (name) => name in limits || name === 'ts'),
      ...missing(words, /^.*\bllm-eval ([^#\n|;)]+)/gm, flagsAreKnown),
    ])
    expect(unknown).toEqual([])
  })
})

function missing(words: string, pattern: RegExp, exists: (name: string) => boolean): string[] {
  return [...words.matchAll(pattern)].flatMap(([, name]) => (name === undefined || exists(name) ? [] : name))
}

const patterns = [
  ...Object.values({
    ...routes,
    ...evaluationRoutes,
    ...datasetRoutes,
    ...runRoutes,
    ...agentRoutes,
    ...conversationRoutes,
    ...runSocketRoutes,
    ...traceloopRoutes,
  }).map(({ path }) => path.replace(/:\w+/g, '[^/]+')),
  '/openapi\\.json',
  '/docs',
].map((path) => new RegExp(`^(/api/v1)?${path}/?$`))

function isRoute(path: string): boolean {
  return patterns.some((pattern) => pattern.test(path.replace(/[.,;:)]+$/, '')))
}

const variables = new Set([
  ...settings.flatMap((setting) => setting.variables),
  'LLM_EVAL_URL',
  'LLM_EVAL_API_KEY',
  'LLM_EVAL_DEBUG',
])
const meters = new Set(
  createMeters()
    .registry.getMetricsAsArray()
    .map(({ name }) => name),
)

const commandLine = text('docs/reference/cli.md')

/** Whether `--help` knows every flag of a command line. */
function flagsAreKnown(command: string): boolean {
  return [...command.matchAll(/(?:^|\s)(--[a-z-]+)/g)].every(([, flag]) => commandLine.includes(`${flag}`))
}

test.each(Object.entries(await generatedPages()))('%s is what the code says now', (path, page) => {
  // If this fails: node --conditions=llm-eval-source docs/checks/write.ts
  expect(text(path)).toBe(page)
})

test('every setting is described, and none that does not exist', () => {
  expect(Object.keys(settingWords).sort()).toEqual(settings.map(({ name }) => name).sort())
})

describe('the API reference', () => {
  const sections = new Map(
    api
      .split(/^### /m)
      .slice(1)
      .map((section) => [/^`([^`]+)`/.exec(section)?.[1] ?? section, section]),
  )

  test('has a section for each route, and for no other', () => {
    expect([...sections.keys()].sort()).toEqual(
      Object.values(routes)
        .map(({ method, path }) => `${method} ${path}`)
        .sort(),
    )
  })

  test('has every other route on its second page', () => {
    const page = text('docs/reference/api-evaluation.md')
    const others = Object.values({
      ...evaluationRoutes,
      ...datasetRoutes,
      ...runRoutes,
      ...agentRoutes,
      ...conversationRoutes,
      ...runSocketRoutes,
      ...traceloopRoutes,
    })
    const names = others.map(({ method, path }) => `\`${method} ${path}\``)
    expect(names.filter((name) => !page.includes(name))).toEqual([])
  })

  test.each(Object.entries(routes))('names the scope of %s', (_name, { method, path, scope }) => {
    expect(sections.get(`${method} ${path}`)).toMatch(scope === null ? /No key\./ : new RegExp(`Scope \`${scope}\``))
  })

  const filters = Object.keys(schemas.filterQuery.shape)
  test.each([
    ['POST /webhook/trace', Object.keys(schemas.traceInput.shape)],
    ['POST /webhook/batch', Object.keys(schemas.batchInput.shape)],
    ['GET /stream/events', Object.keys(schemas.streamEventsQuery.shape)],
    ['GET /stream/traces', Object.keys(schemas.streamTracesQuery.shape)],
    ['GET /stream/metrics', Object.keys(schemas.streamMetricsQuery.shape)],
    ['GET /api/v1/traces', Object.keys(schemas.listQuery.shape)],
    ['GET /api/v1/exports/traces', Object.keys(schemas.exportQuery.shape).filter((name) => !filters.includes(name))],
    ['GET /api/v1/metrics/series', Object.keys(schemas.seriesQuery.shape)],
    ['PATCH /api/v1/traces/:trace_id/review', Object.keys(schemas.reviewInput.shape)],
    ['POST /api/v1/keys', Object.keys(schemas.keyInput.shape)],
    ['POST /api/v1/session', schemas.signInInput.options.flatMap((option) => Object.keys(option.shape))],
  ])('%s has exactly the parameters of its schema', (route, names) => {
    const table = /^\| (?:field|query parameter) +\|[^]*?(?=\n\n)/m.exec(sections.get(route) ?? '')?.[0] ?? ''
    expect([...table.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name ?? '').sort()).toEqual(names.sort())
  })

  test('names only errors that exist', () => {
    const named = [...proseOf(api).matchAll(/Errors[^:.]*: ([^.]*(?:`[^.]*)*)\./g)].flatMap(([, list]) =>
      [...(list ?? '').matchAll(/`(\w+)`/g)].map(([, code]) => code),
    )
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((code) => code === undefined || !(code in failureTable))).toEqual([])
  })
})

test('every event of a stream has its row', () => {
  const table = /^\| event +\|[^]*?(?=\n\n)/m.exec(text('docs/reference/streams.md'))?.[0] ?? ''
  const source = text('packages/protocol/src/events.ts')
  const frames = /export type StreamFrame =[^]*?\n\n/.exec(source)?.[0] ?? ''
  const events = [...frames.matchAll(/event: '(\w+)'/g)].map(([, name]) => name ?? '')
  expect([...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name ?? '').sort()).toEqual(events.sort())
})

test('every measurement of the server has its row', () => {
  const table = /^\| measurement +\|[^]*?(?=\n\n)/m.exec(text('docs/operate.md'))?.[0] ?? ''
  expect([...table.matchAll(/^\| `(\w+)/gm)].map(([, name]) => name ?? '').sort()).toEqual([...meters].sort())
})

test('every page is reached from the index', () => {
  const reached = new Set(linksOf('docs/README.md').map(({ path }) => path))
  expect(all.filter((page) => page !== 'docs/README.md' && !reached.has(page))).toEqual([])
})
