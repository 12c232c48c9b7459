// The reference page of evaluators, executions, rules, datasets, runs and Traceloop's routes, made from the API description.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  agentRoutes,
  conversationRoutes,
  datasetRoutes,
  evaluationRoutes,
  type Route,
  runRoutes,
  runSocketRoutes,
  traceloopRoutes,
} from '@llm-eval/protocol'
import * as z from 'zod'
import { configSchema } from '../../packages/server/src/config/config.ts'
import { startServer } from '../../packages/server/src/main.ts'

const schema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  description: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.union([z.string(), z.number(), z.boolean()]).optional(),
  default: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).default([]),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
})
type Schema = z.infer<typeof schema>
const content = z.record(z.string(), z.object({ schema }))
const operation = z.object({
  parameters: z
    .array(
      z.object({ in: z.string(), name: z.string(), required: z.boolean(), schema, description: z.string().optional() }),
    )
    .default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ content: content.default({}) })),
})
type Operation = z.infer<typeof operation>
const described = z.object({ paths: z.record(z.string(), z.record(z.string(), operation)) })

const parts: { title: string; about: string; routes: Record<string, Route>; below: RegExp }[] = [
  {
    title: 'Evaluators',
    about:
      'What there is to measure with. [All that is built in](evaluators.md) has a page of its own, [what the numbers mean](../statistics.md) too.',
    routes: evaluationRoutes,
    below: /^\/api\/v1\/evaluators/,
  },
  {
    title: 'Executions',
    about: 'One evaluator applied to one input, and what came of it.',
    routes: evaluationRoutes,
    below: /^\/(api\/v1\/(executions|traces)|ws)\//,
  },
  { title: 'Rules', about: 'Evaluate new traces by themselves.', routes: evaluationRoutes, below: /^\/api\/v1\/rules/ },
  {
    title: 'Datasets',
    about: 'With commands to try in [datasets](../datasets.md). `:dataset` is a slug or an id.',
    routes: datasetRoutes,
    below: /^\//,
  },
  {
    title: 'Runs',
    about:
      'A task evaluated over a dataset: by the server, or by user code that tells of it. Ids of runs are yours, up to 200 characters.',
    routes: runRoutes,
    below: /^\//,
  },
  {
    title: 'WebSockets of runs',
    about: 'Runs as they go on; [what is told there](streams.md#websockets-of-runs).',
    routes: runSocketRoutes,
    below: /^\//,
  },
  {
    title: 'Agent tests',
    about:
      'What `llm-eval test --send` and `check --send` found, suite by suite, and what teams accept of it together: baselines and quarantines.',
    routes: agentRoutes,
    below: /^\//,
  },
  {
    title: 'Conversations',
    about:
      'Threads of people with agents, recorded event by event: by the bridge, or told by whoever has them. Ids of threads are yours, up to 200 characters. [What is told of them live](streams.md#frames).',
    routes: conversationRoutes,
    below: /^\//,
  },
]

/** The page, below its note. */
export async function routesText(): Promise<string> {
  const operations = await operationsOfServer()
  const sections = parts.map(({ title, about, routes, below }) => {
    const own = Object.values(routes).filter(({ path }) => below.test(`${path}/`))
    return `## ${title}\n\n${about}\n\n${own.map((route) => section(route, operations)).join('\n')}`
  })
  return `# API: evaluation

The endpoints of evaluators, executions, rules, datasets and runs. What holds for all of them is said in [API](api.md), where traces, streams and
keys are, too. A running server has the same as OpenAPI 3.1 at \`GET /openapi.json\`, with the shape of each answer, and to browse at
\`GET /docs\`.

${sections.join('\n')}
## Traceloop's SDKs

For programs that use them already: see [Traceloop's SDKs](../traceloop.md). What they send and take is Traceloop's. Errors are
\`{"error": "…", "code": "…"}\`.

| route | scope | |
|---|---|---|
${Object.values<Route>(traceloopRoutes).map(foreignRow).join('\n')}
`
}

function foreignRow({ method, path, scope, summary, details = '' }: Route): string {
  return `| \`${method} ${path}\` | \`${scope}\` | ${summary}${details === '' ? '' : ` ${details}`} |`
}

async function operationsOfServer(): Promise<Map<string, Operation>> {
  const data = await mkdtemp(join(tmpdir(), 'llm-eval-docs-'))
  const config = configSchema.parse({ port: 0, data, synchronous: 'normal', log_level: 'silent' })
  const server = await startServer({ config })
  try {
    const { paths } = described.parse(server.app.swagger())
    return new Map(
      Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, one]) => [`${method.toUpperCase()} ${path}`, one] as const),
      ),
    )
  } finally {
    await server.close()
    await rm(data, { recursive: true, force: true })
  }
}

function section(route: Route, operations: ReadonlyMap<string, Operation>): string {
  const { method, path, summary, details = '', scope } = route
  const found = operations.get(`${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
  if (found === undefined) throw new Error(`the API description lacks ${method} ${path}`)
  const words = [summary, details, scope === null ? 'No key.' : `Scope \`${scope}\`.`, answersOf(found)]
  const tables = [
    queryTable(found),
    ...Object.entries(found.requestBody?.content ?? {}).map(([type, body]) =>
      bodyOf(type, body.schema, method === 'POST' ? 'in full' : 'in short'),
    ),
  ]
  return [`### \`${method} ${path}\``, words.filter((text) => text !== '').join(' '), ...tables]
    .filter((text) => text !== '')
    .map((text) => `${text}\n`)
    .join('\n')
}

/** The statuses of success, and the members of what is answered. */
function answersOf({ responses }: Operation): string {
  const codes = Object.keys(responses).filter((code) => code !== 'default')
  const [answer] = codes.flatMap((code) => Object.values(responses[code]?.content ?? {}))
  const members = answer === undefined ? [] : membersOf(answer.schema).map(([name]) => `\`${name}\``)
  const types = codes.flatMap((code) => Object.keys(responses[code]?.content ?? {}))
  if (codes.length === 0) return 'Answers 501.'
  const files = types.every((type) => type === 'application/json')
    ? []
    : [...new Set(types)].map((type) => `\`${type}\``)
  return `Answers ${codes.join(' or ')}${files.length > 0 ? ` (${files.join(', ')})` : ''}${members.length > 0 ? `: ${members.join(', ')}` : ''}.`
}

interface Row {
  name: string
  schema: Schema
  required: boolean
  about?: string | undefined
}

function queryTable({ parameters }: Operation): string {
  const rows = parameters
    .filter((one) => one.in === 'query')
    .map(({ name, required, schema: shape, description }) => ({ name, required, schema: shape, about: description }))
  return table('query parameter', rows)
}

/** The members of a body, and, in full, of those of its members that may be of several kinds. */
function bodyOf(type: string, body: Schema, length: 'in full' | 'in short'): string {
  if (body.properties === undefined) return `As \`${type}\`: ${body.description ?? ''}`
  if (length === 'in short') return table('field', rowsOf(body))
  const kinds = membersOf(body).flatMap(([name, shape]) =>
    (shape.oneOf ?? []).map((kind) => table(`member of \`${name}\``, rowsOf(schema.parse(kind)))),
  )
  return [table('field', rowsOf(body)), ...kinds].join('\n\n')
}

function rowsOf(body: Schema): Row[] {
  return membersOf(body).map(([name, shape]) => ({ name, schema: shape, required: body.required.includes(name) }))
}

function membersOf(shape: Schema): [string, Schema][] {
  return Object.entries(shape.properties ?? {}).map(([name, inner]) => [name, schema.parse(inner)])
}

function table(head: string, rows: Row[]): string {
  if (rows.length === 0) return ''
  const lines = rows.map(({ name, schema: shape, required, about }) => {
    const fallback = (shape.default ?? null) === null ? '' : `\`${JSON.stringify(shape.default)}\` if absent.`
    const words = [about ?? shape.description ?? '', fallback].filter((text) => text !== '').join(' ')
    return `| \`${name}\`${required ? '' : ', optional'} | ${typeOf(shape)} | ${words.replaceAll('|', '\\|')} |`
  })
  return [`| ${head} | type | |`, '|---|---|---|', ...lines].join('\n')
}

const types: Record<string, string> = {
  string: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: 'boolean',
  array: 'list',
  object: 'object',
}

/** A shape in words. Null is as good as absent where a field is optional, and not told. */
function typeOf(shape: Schema): string {
  if (shape.enum !== undefined) return shape.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (shape.const !== undefined) return `\`${String(shape.const)}\``
  const kinds = (shape.anyOf ?? shape.oneOf ?? []).map((kind) => typeOf(schema.parse(kind)))
  if (kinds.length > 0) return [...new Set(kinds)].filter((kind) => kind !== '').join(' or ')
  const names = [shape.type ?? ''].flat().filter((type) => type !== 'null')
  return names.map((type) => types[type] ?? 'any').join(' or ')
}
