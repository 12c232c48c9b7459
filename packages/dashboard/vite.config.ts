import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import tailwind from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const compressBrotli = promisify(brotliCompress)
const compressGzip = promisify(gzip)

/** Writes `.br` and `.gz` beside every text file of the build, so that the server sends them without compressing anything itself. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    // Only what was written is final: other plugins change the code until then.
    async writeBundle({ dir = '' }, bundle) {
      await Promise.all(
        Object.keys(bundle)
          .filter((name) => /\.(js|css|svg|html)$/.test(name))
          .map(async (name) => {
            const bytes = await readFile(join(dir, name))
            if (bytes.length < 1024) return
            const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
            await writeFile(join(dir, `${name}.br`), await compressBrotli(bytes, { params }))
            await writeFile(join(dir, `${name}.gz`), await compressGzip(bytes, { level: 9 }))
          }),
      )
    },
  }
}

/** What the bundler tells of the modules. */
interface Modules {
  getModuleInfo: (id: string) => { importedIds: readonly string[] } | null
}

/** Names what a module of this package imports, and nothing else. */
function importsOf(file: string, name: string): (id: string, modules: Modules) => string | null {
  let imported: Set<string> | undefined
  return (id, modules) => {
    imported ??= importedBy(join(import.meta.dirname, file), modules)
    return imported.has(id) ? name : null
  }
}

/** A module, and all that it imports before it runs. */
function importedBy(entry: string, modules: Modules): Set<string> {
  const found = new Set<string>()
  const left = [entry]
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (found.has(id)) continue
    found.add(id)
    left.push(...(modules.getModuleInfo(id)?.importedIds ?? []))
  }
  return found
}

export default defineConfig({
  plugins: [react(), tailwind(), precompress()],
  // The packages of this repository are bundled from their source, so the build needs none of theirs.
  resolve: { conditions: ['llm-eval-source', 'module', 'browser', 'development|production'] },
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // What two pages share is one file. By itself the bundler makes dozens of tiny ones, and a browser takes longer to ask for
    // them, six at a time, than to read what a page does not need. What the Live page needs of it is a file of its own: the
    // first page that anybody sees need not wait for what only others share.
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Or what is for other pages would take what it needs with it.
          includeDependenciesRecursively: false,
          groups: [
            { name: importsOf('src/main.tsx', 'app'), debugName: 'app', priority: 2 },
            { name: importsOf('src/pages/live.tsx', 'shared'), debugName: 'shared', minShareCount: 2, priority: 1 },
            { name: 'more', minShareCount: 2 },
          ],
        },
      },
    },
  },
  worker: { format: 'es' },
})
