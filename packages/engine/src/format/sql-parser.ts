import type { Parser } from 'node-sql-parser'
import * as z from 'zod'

/** In the order in which they are tried. */
export const sqlDialects = ['postgresql', 'mysql', 'sqlite', 'transactsql', 'bigquery', 'snowflake'] as const
export type SqlDialect = (typeof sqlDialects)[number]

/** What a statement begins with: the parser lets some texts pass that begin with none of these. */
const statement =
  /^(?:\s|--[^\n]*\n|#[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/|\()*(?:select|insert|update|delete|with|create|alter|drop|truncate|merge|replace|grant|revoke|explain|analyze|show|describe|desc|use|set|begin|start|commit|rollback|call|exec|execute|declare|if|lock|unlock|rename|comment|values|table|do|copy|pragma|attach|detach|vacuum|savepoint|release|load|refresh|deallocate|prepare|go)\b/i

/** What is wrong with a text as SQL of a dialect; null when it parses. */
export async function sqlFault(sql: string, dialect: SqlDialect): Promise<string | null> {
  if (!statement.test(sql)) return 'It does not begin like a statement.'
  const parser = await parserOf(dialect)
  try {
    const tree: unknown = parser.astify(sql)
    return isProse(tree) ? 'It does not parse: it reads like prose.' : null
  } catch (error) {
    return faultOf(error)
  }
}

/** Each dialect has a parser of its own, loaded when it is first asked for. */
async function parserOf(dialect: SqlDialect): Promise<Parser> {
  const { default: module } = await loaders[dialect]()
  return new module.Parser()
}

const loaders = {
  postgresql: () => import('node-sql-parser/build/postgresql.js'),
  mysql: () => import('node-sql-parser/build/mysql.js'),
  sqlite: () => import('node-sql-parser/build/sqlite.js'),
  transactsql: () => import('node-sql-parser/build/transactsql.js'),
  bigquery: () => import('node-sql-parser/build/bigquery.js'),
  snowflake: () => import('node-sql-parser/build/snowflake.js'),
}

/** The parser of T-SQL takes any two words for an assignment without a sign, that of BigQuery takes `FROM` for a table. */
function isProse(tree: unknown): boolean {
  const statements: unknown[] = Array.isArray(tree) ? tree : [tree]
  return statements.some((part) => prose.safeParse(part).success)
}

const prose = z.union([
  z.object({ stmt: z.object({ type: z.literal('assign'), symbol: z.null() }) }),
  z.object({
    type: z.literal('delete'),
    from: z.null(),
    table: z.array(z.object({ table: z.stringFormat('from', /^from$/i) })),
  }),
])

const located = z.object({
  message: z.string(),
  location: z.object({ start: z.object({ line: z.number(), column: z.number() }) }),
})

function faultOf(error: unknown): string {
  const read = located.safeParse(error)
  if (!read.success) return 'It does not parse.'
  const { line, column } = read.data.location.start
  const found = / but (.{1,40}) found\.$/s.exec(read.data.message)?.[1]
  return `It does not parse at line ${line}, column ${column}${found === undefined ? '' : `, at ${found}`}.`
}
