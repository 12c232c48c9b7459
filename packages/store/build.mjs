// Makes one file of Kysely, over the one that the compiler left in dist/: what `#kysely` is.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const here = dirname(fileURLToPath(import.meta.url))
const build = await rolldown({ input: join(here, 'src/kysely.ts'), platform: 'node' })
await build.write({
  file: join(here, 'dist/kysely.js'),
  format: 'esm',
  minify: { mangle: false, compress: true },
})
await build.close()
