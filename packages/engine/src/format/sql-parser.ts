import type { Parser } from 'node-sql-parser'

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
    parser.astify(sql)
    return null
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

function faultOf(error: unknown): string {
  if (!(error instanceof Error)) return 'It does not parse.'
  const location: unknown = Reflect.get(error, 'location')
  const start: unknown = location instanceof Object ? Reflect.get(location, 'start') : undefined
  if (!(start instanceof Object)) return 'It does not parse.'
  const found = / but (.{1,40}) found\.$/s.exec(error.message)?.[1]
  return `It does not parse at line ${String(Reflect.get(start, 'line'))}, column ${String(Reflect.get(start, 'column'))}${found === undefined ? '' : `, at ${found}`}.`
}
