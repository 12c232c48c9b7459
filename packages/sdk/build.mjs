// Builds ESM, CJS, and self-contained types for both into dist/. Prints what the package costs in a browser.
//   node build.mjs              for the workspace
//   node build.mjs --stage DIR  makes DIR the package as it is published; then: npm publish DIR
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '../..')
const sources = join(here, 'src')
const typesOfSdk = join(root, '.cache/sdk-types')
const typesOfProtocol = join(root, 'packages/protocol/dist')
const typesOfFormats = join(root, 'packages/formats/dist')
const stage = process.argv[2] === '--stage' && process.argv[3] ? resolve(process.argv[3]) : undefined
const out = join(stage ?? here, 'dist')
const entries = {
  index: join(sources, 'index.ts'),
  experiments: join(sources, 'experiments/index.ts'),
  agent: join(sources, 'agent/index.ts'),
  recorder: join(sources, 'recorder/index.ts'),
  logs: join(sources, 'logs/index.ts'),
}
/** For Node alone: it has the engine inside, and shares what it has of the rest with the root by `inside.js`. */
const evaluation = {
  evaluation: join(sources, 'evaluation/index.ts'),
  // Started by its file name as a thread.
  'evaluators.thread': join(root, 'packages/engine/src/threads/evaluators.thread.ts'),
}
const inside = join(sources, 'inside.ts')
/** Declarations of the entries. */
const declared = ['index', 'experiments/index', 'evaluation/index', 'agent/index', 'recorder/index', 'logs/index'].map(
  (name) => `${name}.d.ts`,
)

/** Tables of protocol, by the file each stands in. */
const tables = {
  'limits.ts': 'limits',
  'routes.ts': 'routes',
  'evaluation-routes.ts': 'evaluationRoutes',
  'dataset-routes.ts': 'datasetRoutes',
  'traceloop-routes.ts': 'traceloopRoutes',
  'run-routes.ts': 'runRoutes',
  'agent-routes.ts': 'agentRoutes',
  'conversation-routes.ts': 'conversationRoutes',
}

/**
 * The tables of protocol hold a row for everybody; a browser should load only the rows that this package names, or what it has of
 * `formats` does.
 * A name that the sources use and the table lacks is an error of the compiler, long before this.
 */
function onlyUsedRows(protocol) {
  const text = [sources, join(root, 'packages/formats/src')]
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map((file) => ({ folder, file })))
    .filter(({ file }) => file.endsWith('.ts') && !file.startsWith('evaluation/'))
    .map(({ folder, file }) => readFileSync(join(folder, file), 'utf8'))
    .join('\n')
  const usedRows = (name) =>
    Object.entries(protocol[name]).filter(([row]) => new RegExp(`\\b${name}\\.${row}\\b`).test(text))
  const needed = (row) => (typeof row === 'object' ? { method: row.method, path: row.path, errors: row.errors } : row)
  return {
    name: 'only-used-rows',
    transform: {
      filter: { id: /protocol\/src\/[\w-]*(routes|limits)\.ts$/ },
      handler(code, id) {
        const name = tables[basename(id)]
        const start = code.indexOf(`export const ${name} = {`)
        const end = code.indexOf('\n} as const', start)
        if (start < 0 || end < 0) throw new Error(`${id} does not look as expected: mend onlyUsedRows in build.mjs`)
        const rows = Object.fromEntries(usedRows(name).map(([row, value]) => [row, needed(value)]))
        return {
          code: `${code.slice(0, start)}export const ${name} = ${JSON.stringify(rows)}${code.slice(end + 2)}`,
          map: { mappings: '' },
        }
      },
    },
  }
}

/** `alone:Name` is a module that uses one export, to see what that costs. */
const alone = {
  name: 'alone',
  resolveId: { filter: { id: /^alone:/ }, handler: (id) => id },
  load: {
    filter: { id: /^alone:/ },
    handler: (id) => `export { ${id.slice(6)} } from ${JSON.stringify(entries.index)}`,
  },
}

async function sizeOf(input) {
  const [chunk] = await bundle({ format: 'esm', minify: true }, { size: input })
  return `${(chunk.text.length / 1000).toFixed(1)} kB minified, ${(gzipSync(chunk.text, { level: 9 }).length / 1000).toFixed(1)} kB with gzip`
}

/** What the server computes instead, so that nobody loads its tables (`leftToServer` in `metrics.ts`). */
const leftToServer = {
  name: 'left-to-server',
  resolveId: { filter: { id: /^(node-sql-parser|eld)\b/ }, handler: () => ({ id: 'left-to-server', external: false }) },
  load: { filter: { id: /^left-to-server$/ }, handler: () => 'throw new Error("The server computes this.")' },
}

/** The rest of the package is beside it already. */
function besides(extension) {
  return {
    name: 'besides',
    resolveId: {
      filter: { id: /\/inside\.ts$/ },
      handler: () => ({ id: `./inside.${extension}`, external: true }),
    },
  }
}

/** The entries of a browser. */
async function bundle(options, input = { ...entries, inside }) {
  const how = { platform: 'neutral', resolve: { conditionNames: ['llm-eval-source', 'import'] } }
  return await generate({ ...how, input, plugins: [onlyUsedRows(protocol), alone] }, options)
}

/** The entry of Node. */
async function bundleEvaluation(options, extension) {
  const how = { platform: 'node', resolve: { conditionNames: ['llm-eval-source', 'import', 'node'] } }
  return await generate({ ...how, input: evaluation, plugins: [besides(extension), leftToServer] }, options)
}

async function generate(how, options) {
  const build = await rolldown({
    ...how,
    transform: { target: 'es2022' },
    onLog(level, log) {
      throw new Error(`${level}: ${log.message}`)
    },
  })
  const { output } = await build.generate({
    chunkFileNames: options.entryFileNames?.replace('[name]', 'shared'),
    ...options,
  })
  await build.close()
  return output.map((file) => ({ name: file.fileName, text: file.type === 'chunk' ? file.code : String(file.source) }))
}

/** What declarations import, in quotes. A path such as `/import` in a literal type is none. */
const specifiers = /(?<=(?<![\w/-])(?:from|import)\s*\(?)(['"])[^'"\s]+\1/g

/** Copies the declarations that can be reached from the entries, once as ESM and once as CJS, with imports that stay inside. */
function declarations() {
  const files = new Map()
  const visit = (path) => {
    if (files.has(path)) return
    const text = readFileSync(path, 'utf8')
      .replace(/^\/\/# sourceMappingURL=.*$/gm, '')
      .trimEnd()
    files.set(path, text)
    for (const [quoted] of text.matchAll(specifiers)) visit(locate(quoted.slice(1, -1), path))
  }
  for (const name of declared) visit(join(typesOfSdk, name))
  return [...files].flatMap(([path, text]) =>
    ['js', 'cjs'].map((kind) => {
      const inside = (specifier) => {
        const target = relative(dirname(placeOf(path)), placeOf(locate(specifier, path))).replace(
          /\.d\.ts$/,
          `.${kind}`,
        )
        return target.startsWith('.') ? target : `./${target}`
      }
      const rewritten = text.replace(specifiers, (quoted) => `'${inside(quoted.slice(1, -1))}'`)
      // Consumers need not have the lib that knows AsyncDisposable.
      const lib = /AsyncDisposable|asyncDispose/.test(rewritten) ? '/// <reference lib="esnext.disposable" />\n' : ''
      return {
        name: placeOf(path).replace(/\.d\.ts$/, kind === 'js' ? '.d.ts' : '.d.cts'),
        text: `${lib}${rewritten}\n`,
      }
    }),
  )
}

function locate(specifier, from) {
  if (specifier === '@llm-eval/protocol') return join(typesOfProtocol, 'index.d.ts')
  if (specifier.startsWith('@llm-eval/formats/'))
    return join(typesOfFormats, specifier.slice('@llm-eval/formats/'.length), 'index.d.ts')
  if (specifier.startsWith('.')) return resolve(dirname(from), specifier.replace(/\.[cm]?[jt]s$/, '.d.ts'))
  throw new Error(`${from} imports ${specifier}, which users of the package do not have`)
}

function placeOf(path) {
  if (path.startsWith(typesOfProtocol)) return join('protocol', relative(typesOfProtocol, path))
  if (path.startsWith(typesOfFormats)) return join('formats', relative(typesOfFormats, path))
  return relative(typesOfSdk, path)
}

function compile() {
  const tsc = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-b', join(here, 'tsconfig.evaluation.json')],
    {
      stdio: 'inherit',
    },
  )
  if (tsc.status !== 0) process.exit(tsc.status ?? 1)
}

/** Everything is written beside the old build and then takes its place, so that nobody ever meets half a build. */
function replaceOut(files) {
  const fresh = `${out}.${process.pid}.new`
  const old = `${out}.${process.pid}.old`
  for (const { name, text } of files) {
    mkdirSync(dirname(join(fresh, name)), { recursive: true })
    writeFileSync(join(fresh, name), text)
  }
  if (existsSync(out)) renameSync(out, old)
  renameSync(fresh, out)
  rmSync(old, { recursive: true, force: true })
}

/** What only this workspace needs must not reach users. */
function stagePackage(folder) {
  const { private: _, devDependencies: __, ...manifest } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
  for (const entry of Object.values(manifest.exports)) {
    delete entry['llm-eval-source']
    delete entry.source
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  // For tools that do not know `exports`.
  for (const name of ['experiments', 'evaluation', 'agent', 'recorder', 'logs']) {
    const redirect = { main: `../dist/${name}.cjs`, types: `../dist/${name}/index.d.cts` }
    mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, name, 'package.json'), `${JSON.stringify(redirect, null, 2)}\n`)
  }
  for (const path of [join(here, 'README.md'), join(root, 'LICENSE')]) copyFileSync(path, join(folder, basename(path)))
}

compile()
// Compiled, because a Node before 22.18 does not run TypeScript.
const protocol = await import(pathToFileURL(join(typesOfProtocol, 'index.js')).href)
const esm = await bundle({ format: 'esm', entryFileNames: '[name].js', sourcemap: true })
const cjs = await bundle({ format: 'cjs', entryFileNames: '[name].cjs', sourcemap: true })
const ofNode = { entryFileNames: '[name].js', chunkFileNames: 'evaluation-[name]-[hash].js', minify: true }
const nodeEsm = await bundleEvaluation({ format: 'esm', ...ofNode }, 'js')
const nodeCjs = await bundleEvaluation(
  { format: 'cjs', ...ofNode, entryFileNames: '[name].cjs', chunkFileNames: 'evaluation-[name]-[hash].cjs' },
  'cjs',
)
mkdirSync(dirname(out), { recursive: true })
replaceOut([...esm, ...cjs, ...nodeEsm, ...nodeCjs, ...declarations()])
if (stage) stagePackage(stage)
console.log(`llm-eval-sdk: ${await sizeOf(entries.index)}`)
for (const name of ['experiments', 'recorder', 'logs'])
  console.log(`llm-eval-sdk/${name}: ${await sizeOf(entries[name])}`)
for (const name of ['LLMEvalClient', 'LLMEvalStreamClient'])
  console.log(`${name} alone: ${await sizeOf(`alone:${name}`)}`)
