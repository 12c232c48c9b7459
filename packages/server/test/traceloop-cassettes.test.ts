import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { type Provider, startProvider } from '../../engine/test/provider.ts'
import { configSchema } from '../src/config/config.ts'
import { createServerEngine } from '../src/judging/set-up.ts'
import { registerTraceloop } from '../src/traceloop/traceloop.ts'
import { allSlices, type Ground, type Received, startGround } from './ground.ts'

// The traffic of the unmodified SDK, as `conformance/` recorded it, answered by the façade in memory.

const response = z.object({ status: z.int(), type: z.string(), body: z.unknown() })
const exchange = z.object({
  request: z.object({
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
    path: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.unknown(),
  }),
  response,
})
const cassette = z.object({
  about: z.string(),
  client: z.string(),
  exchanges: z.array(exchange),
  models: z.array(response).default([]),
})

const folder = new URL('../../../conformance/cassettes/', import.meta.url)
const cassettes = readdirSync(folder).map((file) => {
  const json: unknown = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
  return { file, ...cassette.parse(json) }
})

let stack: AsyncDisposableStack
let ground: Ground
let provider: Provider
beforeAll(async () => {
  stack = new AsyncDisposableStack()
  provider = stack.use(await startProvider())
  const openai = { api: 'openai' as const, base_url: provider.base('openai'), api_key: 'test' }
  const config = configSchema.parse({ providers: { openai } })
  ground = await startGround({ slices: [...allSlices, registerTraceloop], engine: await createServerEngine(config) })
  stack.defer(() => ground.close())
})
afterAll(() => stack.disposeAsync())

/** Words for people: they may change without any client noticing. */
const wording = new Set(['error', 'next', 'reason', 'description'])

/** What the names in a cassette stand for in this run. */
type Names = Map<string, string>

/** Puts this run's ids where a cassette has names. */
function filled(text: string, names: Names): string {
  return text.replace(/\{\{id \d+\}\}/g, (name) => names.get(name) ?? name)
}

/** Where an answer is another one than was recorded; empty when it is the same. Binds names that are new. */
function difference(expected: unknown, actual: unknown, { names, at }: { names: Names; at: string }): string {
  if (typeof expected === 'string' && typeof actual === 'string') return textDifference(expected, actual, { names, at })
  if (typeof expected !== 'object' || expected === null || typeof actual !== 'object' || actual === null) {
    return Object.is(expected, actual) ? '' : `${at}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`
  }
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length !== actual.length) {
    return `${at}: has ${actual.length} entries instead of ${expected.length}`
  }
  // A client passes over members that it does not know.
  const given = new Map(Object.entries(actual))
  for (const [key, value] of Object.entries(expected)) {
    const told = given.get(key)
    const found =
      wording.has(key) && typeof value === typeof told ? '' : difference(value, told, { names, at: `${at}.${key}` })
    if (found !== '') return found
  }
  return ''
}

function textDifference(expected: string, actual: string, { names, at }: { names: Names; at: string }): string {
  const order: string[] = []
  const pattern = filled(expected, names)
    .replace(/[.*+?^$()|[\]\\]/g, String.raw`\$&`)
    .replace(/\{\{time\}\}/g, String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`)
    .replace(/\{\{id \d+\}\}/g, (name) => {
      order.push(name)
      return String.raw`((?:[a-z]+_)?[0-9a-f-]+)`
    })
    .replace(/\{(?!\d)/g, String.raw`\{`)
  const match = new RegExp(`^${pattern}$`).exec(actual)
  if (match === null) return `${at}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`
  for (const [n, name] of order.entries()) names.set(name, match[n + 1] ?? '')
  return ''
}

function bodyOf({ json, text }: Received): unknown {
  if (json !== undefined) return json
  try {
    return text === '' ? null : (JSON.parse(text) as unknown)
  } catch {
    return text
  }
}

async function replay({ request, response }: z.infer<typeof exchange>, names: Names): Promise<string> {
  const { method, headers, body } = request
  const path = filled(request.path, names)
  const sent = { method, path, headers, ...(body === null ? {} : { body: filled(JSON.stringify(body), names) }) }
  const answer = await ground.send(sent)
  const told = { status: answer.status, type: String(answer.headers['content-type'] ?? ''), body: bodyOf(answer) }
  return difference(response, told, { names, at: `${method} ${path}` })
}

describe('what the unmodified SDK asked', () => {
  it.each(cassettes)('is answered as it was then: $about', async ({ exchanges, models }) => {
    const names: Names = new Map()
    provider.next(
      ...models.map(({ status, body }) => ({ does: 'send' as const, status, headers: {}, body: JSON.stringify(body) })),
    )
    for (const one of exchanges) {
      // Only an export tells how far executions are; everything else waits for them.
      const patient = one.request.path.includes('/export/')
      const found = patient
        ? await expect
            .poll(() => replay(one, names), { timeout: 30_000, interval: 20 })
            .toBe('')
            .then(() => '')
        : await replay(one, names)
      expect(found).toBe('')
    }
  })
})
