import { execFile } from 'node:child_process'
import module from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Complaint, systemCode } from '../complaint.ts'
import { oneLine } from '../display/width.ts'
import type { Terminal } from '../terminal.ts'
import { isMeant, type ReadDefinition, readDefinition } from './definition.ts'
import { nameOfFile, shownPath } from './find-files.ts'

/** An evaluation and the file it stands in. */
export interface LoadedEvaluation {
  file: string
  /** Always with a name. */
  definition: ReadDefinition
}

/**
 * Loads the evaluations of files: their default exports, each one or a list, and where there is none what is exported by name.
 *
 * @throws {Complaint} for files that cannot be loaded, hold no evaluation or a wrong one, and for two evaluations of one name
 */
export async function loadEvaluations(terminal: Terminal, files: readonly string[]): Promise<LoadedEvaluation[]> {
  const loaded: LoadedEvaluation[] = []
  if (terminal.onFile) await tellOfModules(terminal.onFile)
  for (const file of files) loaded.push(...(await evaluationsIn(file, shownPath(file, terminal.cwd))))
  const names = loaded.map(({ definition }) => definition.name)
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined)
    throw new Complaint(
      `Two evaluations are called ${oneLine(twice)}. Each needs a name of its own: it is how earlier runs are found.`,
    )
  return loaded
}

/** Tells of all modules that are loaded from now on, but for packages: whoever watches looks at them. */
async function tellOfModules(onFile: (path: string) => void): Promise<void> {
  // What is this program's own is loaded before, as far as it is in other rooms.
  await import('../own-server.ts')
  const own = new URL('../', import.meta.url).href
  // Node 22.15 has it; one that is older watches the evaluation files alone.
  module.registerHooks?.({
    load(url, context, next) {
      if (url.startsWith('file:') && !url.startsWith(own) && !url.includes('/node_modules/')) onFile(fileURLToPath(url))
      return next(url, context)
    },
  })
}

async function evaluationsIn(file: string, shown: string): Promise<LoadedEvaluation[]> {
  const members = await importFile(file, shown)
  const { default: main, ...others } = members
  const found: [place: string, value: unknown][] = []
  if (Array.isArray(main))
    found.push(...main.map((one, index): [string, unknown] => [`${shown}, default export [${index}]`, one]))
  else if (main !== undefined) found.push([shown, main])
  else for (const [name, value] of Object.entries(others)) if (isMeant(value)) found.push([`${shown}, ${name}`, value])
  if (found.length === 0)
    throw new Complaint(
      `${shown} exports no evaluation. Write: export default defineEvaluation({ name, dataset, task, metrics })`,
    )
  return Promise.all(
    found.map(async ([place, value], index) => {
      const definition = await readDefinition(value, place)
      const usual = `${nameOfFile(file)}${found.length > 1 ? `-${index + 1}` : ''}`
      return { file, definition: { ...definition, name: definition.name === '' ? usual : definition.name } }
    }),
  )
}

async function importFile(file: string, shown: string): Promise<Record<string, unknown>> {
  if (/^\.m?ts$/.test(extname(file)) && !process.features.typescript)
    throw new Complaint(
      `${shown} is TypeScript, which Node ${process.versions.node} does not run. Use Node 22.18 or newer, or write it as ${shown.replace(/ts$/, 'js')}.`,
    )
  try {
    const members: unknown = await import(pathToFileURL(file).href)
    return { ...(members as object) }
  } catch (error) {
    throw loadComplaint(await located(error, file), { file, shown })
  }
}

/** Node tells where a syntax error stands only when it ends with it. */
async function located(error: unknown, file: string): Promise<unknown> {
  if (!(error instanceof SyntaxError) || placeOf(error, file) !== null) return error
  const told = await new Promise<string>((resolve) => {
    execFile(process.execPath, ['--check', file], { timeout: checkMs }, (_error, _out, err) => resolve(err))
  })
  if (told.includes('SyntaxError')) error.stack = told
  return error
}

/** Milliseconds that looking for a syntax error may take. */
const checkMs = 10_000

function loadComplaint(error: unknown, { file, shown }: { file: string; shown: string }): Complaint {
  const told = error instanceof Error ? error : new Error(String(error))
  const message = oneLine(told.message)
  const code = systemCode(told)
  const place = placeOf(told, file)
  const at = place === null ? shown : `${shown}:${place}`
  if (code === 'ERR_MODULE_NOT_FOUND' && /'llm-eval-sdk'/.test(message))
    return new Complaint(
      `${shown} imports llm-eval-sdk, which is not installed beside it: npm install --save-dev llm-eval-sdk. Without it, export a plain object: export default { name, dataset, task, metrics }`,
      { cause: error },
    )
  if (code === 'ERR_MODULE_NOT_FOUND') return new Complaint(`${shown} cannot be loaded: ${message}.`, { cause: error })
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return new Complaint(
      `${at}: ${message}. Node only takes types away: enums, namespaces and parameter properties need a build.`,
      {
        cause: error,
      },
    )
  if (told instanceof SyntaxError || code === 'ERR_INVALID_TYPESCRIPT_SYNTAX')
    return new Complaint(`${at} is not valid: ${message}.${excerptOf(told)}`, { cause: error })
  return new Complaint(`${at} throws while it is loaded: ${oneLine(told.name)}: ${message}`, { cause: error })
}

/** Line and column within the file, as the stack has them: of the call, or of what cannot be parsed. */
function placeOf({ stack = '' }: Error, file: string): string | null {
  for (const start of [pathToFileURL(file).href, file]) {
    const at = stack.indexOf(`${start}:`)
    const found = at === -1 ? null : /^\d+(?::\d+)?/.exec(stack.slice(at + start.length + 1))
    if (found) return found[0]
  }
  // A file that it imports.
  const other = /^(file:\/\/\S+):(\d+)$/m.exec(stack)
  return other?.[1] === undefined ? null : `, in ${fileURLToPath(other[1])}:${other[2]}`
}

/** The line that cannot be parsed, and the mark below it. */
function excerptOf({ stack = '' }: Error): string {
  const lines = stack.split('\n')
  const mark = lines.findIndex((line) => /^\s*\^+\s*$/.test(line))
  const line = lines[mark - 1]
  return mark < 1 || line === undefined ? '' : `\n  ${line.slice(0, 200)}\n  ${(lines[mark] ?? '').slice(0, 200)}`
}
