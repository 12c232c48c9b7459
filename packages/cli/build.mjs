// Builds the package that is published as `llm-eval`: the workspace packages bundled, npm packages as its dependencies,
// the built dashboard beside the code. Then `npm pack DIR` or `npm publish DIR`.
//   node build.mjs [--out DIR]
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '../..')
const out = resolve(process.argv[2] === '--out' ? (process.argv[3] ?? '') : join(root, '.cache/packages/llm-eval'))
const dashboard = join(root, 'packages/dashboard/dist')
/** The workspace packages that end up inside. */
const inside = ['protocol', 'statistics', 'formats', 'pricing', 'store', 'engine', 'agents', 'server', 'sdk', 'cli']

/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))
const manifests = inside.map((name) => readJson(join(root, 'packages', name, 'package.json')))
const own = manifests.find(({ name }) => name === 'llm-eval')
const workspace = new Set(manifests.map(({ name }) => name))

/** Modules that are started by their file name as threads: entries of their own, beside the code that starts them. */
function threads() {
  const files = ['store', 'engine', 'server'].flatMap((name) => {
    const folder = join(root, 'packages', name, 'src')
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.thread.ts'))
      .map((file) => join(folder, file))
  })
  return Object.fromEntries(files.map((file) => [file.replace(/^.*[\\/]/, '').replace(/\.ts$/, ''), file]))
}

/** @param {string} specifier */
const packageOf = (specifier) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

async function bundle() {
  const build = await rolldown({
    input: { main: join(here, 'src/main.ts'), ...threads() },
    platform: 'node',
    external: (id) => !/^[./#]|^[a-z]:|\0/i.test(id) && !workspace.has(packageOf(id)),
    resolve: {
      conditionNames: ['llm-eval-source', 'import', 'node'],
      // What others wrote is installed, with its licence, and not bundled.
      alias: { '#kysely': join(root, 'packages/store/src/kysely.ts') },
    },
    onLog(level, log) {
      throw new Error(`${level}: ${log.message}`)
    },
  })
  // All in one folder: what looks for a file beside itself finds it.
  const { output } = await build.generate({
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
  })
  await build.close()
  return output.filter((file) => file.type === 'chunk')
}

/** The npm packages that the bundle really imports, in the versions that the workspace asks for. */
function dependenciesOf(/** @type {Awaited<ReturnType<typeof bundle>>} */ chunks) {
  const files = new Set(chunks.map(({ fileName }) => fileName))
  const imported = chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])
  const names = new Set(
    imported
      .filter((name) => !files.has(name) && !name.startsWith('node:') && !builtinModules.includes(name))
      .map(packageOf),
  )
  return Object.fromEntries(
    [...names].sort().map((name) => {
      const version = manifests.map(({ dependencies }) => dependencies?.[name]).find((found) => found !== undefined)
      if (version === undefined) throw new Error(`${name} is imported, and no package lists it in its dependencies`)
      return [name, version]
    }),
  )
}

if (!existsSync(join(dashboard, 'index.html')))
  throw new Error(`The dashboard is not built: ${dashboard} is missing. Run \`npm run build\` first.`)

const chunks = await bundle()
const { name, version, description, license, type, engines, bin } = own
const files = ['bin', 'dist', 'README.md', 'LICENSE']
const manifest = {
  name,
  version,
  description,
  license,
  type,
  engines,
  bin,
  files,
  dependencies: dependenciesOf(chunks),
}

rmSync(out, { recursive: true, force: true })
mkdirSync(join(out, 'dist'), { recursive: true })
for (const { fileName, code } of chunks) writeFileSync(join(out, 'dist', fileName), code)
cpSync(dashboard, join(out, 'dist/dashboard'), { recursive: true })
cpSync(join(here, 'bin'), join(out, 'bin'), { recursive: true })
cpSync(join(here, 'README.md'), join(out, 'README.md'))
cpSync(join(root, 'LICENSE'), join(out, 'LICENSE'))
writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
const size = chunks.reduce((sum, { code }) => sum + code.length, 0)
console.log(`llm-eval ${version}: ${chunks.length} files, ${(size / 1000).toFixed(0)} kB, in ${out}`)
