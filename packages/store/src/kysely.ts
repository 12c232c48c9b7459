/**
 * All of Kysely that runs here. Sources load the bundle of the build as well: a thread that loads 250 modules takes a tenth
 * of a second longer, and tests start thousands of threads.
 */
export {
  CompiledQuery,
  Kysely,
  Migrator,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from '#kysely'
