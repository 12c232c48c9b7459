/**
 * All of Kysely that runs here, beside its types. The build makes one file of this module, `#kysely`, and sources load that
 * as well: each thread that loads the package's 250 modules takes 8 MB and a tenth of a second for it, and tests start
 * thousands of threads.
 */
export {
  CompiledQuery,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
export { Migrator } from 'kysely/migration'
