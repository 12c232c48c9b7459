import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, extname, join, relative, resolve, sep } from 'node:path'
import { type AgentSettings, readCases, readSettings } from '@llm-eval/formats'
import { type CaseProblem, limits, type TestCase } from '@llm-eval/protocol'
import { Complaint, fileComplaint, systemCode } from '../complaint.ts'
import { oneLine } from '../display/width.ts'
import type { Terminal } from '../terminal.ts'
import { isEvalAside, isEvalFile, isEvalName } from './eval-names.ts'
import { secretsNamedIn, secretsOfSuite } from './secrets.ts'

/** Where settings stand unless said, the first that is there; EvalView's last. */
export const settingsFiles = ['llm-eval.agent.yaml', 'llm-eval.agent.yml', 'llm-eval.agent.toml', 'llm-eval.agent.json']
const evalviewSettings = '.evalview/config.yaml'

/** Where cases stand unless said. */
const usualFolder = 'agent-tests'
const evalviewFolders = ['tests', '.evalview/test-cases']

/** Cases with what they are run with. */
export interface Suite {
  settings: AgentSettings
  /** Of cases that do not name their own. */
  name: string
  cases: TestCase[]
  /** What is wrong with files: with an error among it the suite cannot be green. */
  problems: CaseProblem[]
  /** The folder of what was accepted. */
  baselines: string
  /** What must not be told: keys that files name. */
  secrets: string[]
}

/** Which cases are meant. */
export interface CaseChoice {
  /** Files and folders; none is what the settings say. */
  paths: readonly string[]
  settingsFile?: string | undefined
  /** Names or ids, of which each must be there. */
  tests: readonly string[]
  /** Cases with any of them. */
  tags: readonly string[]
  /** Criteria of eval files of ADK, in place of the ones beside them. */
  evalConfig?: string | undefined
}

/**
 * Reads settings and cases.
 *
 * @throws {Complaint} for settings with a mistake, where there is no case, and for a case or tag that is named and not there
 */
export async function openSuite(terminal: Terminal, choice: CaseChoice): Promise<Suite> {
  const { settings, evalview, problems, secrets } = await openSettings(terminal, choice.settingsFile)
  const name = settings.suite ?? basename(terminal.cwd)
  const baselines = resolve(terminal.cwd, settings.baselines ?? join(usualFolder, 'baselines'))
  const files = await caseFiles(terminal, { choice, settings, evalview, baselines })
  for (const path of files) terminal.onFile?.(path)
  const config = choice.evalConfig === undefined ? undefined : resolve(terminal.cwd, choice.evalConfig)
  const cases: TestCase[] = []
  for (const path of files) {
    const file = relative(terminal.cwd, path).split(sep).join('/')
    const text = await textOrFault(path)
    if (typeof text !== 'string') {
      problems.push({ level: 'error', file, line: null, path: '', message: text.fault })
      continue
    }
    secrets.push(...secretsNamedIn(text, terminal.env))
    const read = isEvalFile(path, text)
      ? await (await import('./eval-sets.ts')).readEvalFile({ path, text, file, config })
      : readCases(text, { file, suite: name, env: terminal.env, evalview })
    problems.push(...read.problems)
    cases.push(...withoutTwins(read.cases, { cases, problems }))
  }
  if (cases.length === 0 && problems.every(({ level }) => level !== 'error'))
    throw new Complaint(`No cases were found in ${files.length} files. \`llm-eval init\` writes a first one.`)
  secrets.push(...secretsOfSuite(settings, cases))
  return { settings, name, cases: chosen(cases, choice), problems, baselines, secrets }
}

/**
 * Reads the settings alone, and the keys that they name.
 *
 * @throws {Complaint} for settings with a mistake, and for a file that is named and not there
 */
export async function readAgentSettings(
  terminal: Terminal,
  named: string | undefined,
): Promise<Pick<Suite, 'settings' | 'secrets'>> {
  const { settings, secrets } = await openSettings(terminal, named)
  return { settings, secrets: [...secrets, ...secretsOfSuite(settings, [])] }
}

/** A problem of a file on one line, with its place. */
export function problemLine({ file, line, path, message }: CaseProblem): string {
  const place = line === null ? file : `${file}:${line}`
  return oneLine(`${place}: ${path === '' ? '' : `${path} `}${message}`)
}

async function openSettings(terminal: Terminal, named: string | undefined) {
  const tried = named === undefined ? [...settingsFiles, evalviewSettings] : [named]
  for (const file of tried) {
    const path = resolve(terminal.cwd, file)
    // Also where it is not there: it may come.
    terminal.onFile?.(path)
    const content = await readIfThere(path)
    if (content === undefined) continue
    const evalview = file.split('/').includes('.evalview')
    const { settings, problems } = readSettings(content, { file, env: terminal.env, evalview })
    const errors = problems.filter(({ level }) => level === 'error')
    if (errors.length > 0 || !settings) throw new Complaint(errors.map(problemLine).join('\n'))
    return { settings, evalview, problems, secrets: secretsNamedIn(content, terminal.env) }
  }
  if (named !== undefined) throw new Complaint(`${named}: it is not there.`)
  const empty: AgentSettings = {}
  return { settings: empty, evalview: false, problems: [] as CaseProblem[], secrets: [] as string[] }
}

interface Where {
  choice: CaseChoice
  settings: AgentSettings
  evalview: boolean
  baselines: string
}

async function caseFiles(
  { cwd, onFile }: Terminal,
  { choice, settings, evalview, baselines }: Where,
): Promise<string[]> {
  const said = choice.paths.length > 0 ? choice.paths : [settings.tests ?? []].flat()
  const usual = evalview ? evalviewFolders : [usualFolder]
  const found: string[] = []
  for (const path of said.length > 0 ? said : usual) {
    const whole = resolve(cwd, path)
    try {
      if ((await stat(whole)).isDirectory()) {
        onFile?.(whole)
        found.push(...(await filesIn(whole, { baselines, evalview })))
      } else found.push(whole)
    } catch (error) {
      // Of the folders where cases usually are, not all need to be there.
      if (said.length > 0 || systemCode(error) !== 'ENOENT') throw fileComplaint(path, error)
    }
  }
  if (found.length === 0) {
    const places = (said.length > 0 ? said : usual).join(' or ')
    throw new Complaint(`No files of cases in ${places}. \`llm-eval init\` writes a first one.`)
  }
  return [...new Set(found)]
}

interface Folder {
  baselines: string
  evalview: boolean
  /** Folders that were looked through: links may lead in circles. */
  seen?: Set<string>
}

async function filesIn(folder: string, { baselines, evalview, seen = new Set() }: Folder): Promise<string[]> {
  const real = await realpath(folder)
  if (seen.has(real) || folder === baselines) return []
  seen.add(real)
  const found: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (isAside(entry.name, evalview)) continue
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && (await leadsToFolder(path)))
    if (isFolder) found.push(...(await filesIn(path, { baselines, evalview, seen })))
    else if (/^\.(ya?ml|toml|json)$/.test(extname(entry.name).toLowerCase())) found.push(path)
  }
  return found.toSorted()
}

async function leadsToFolder(link: string): Promise<boolean> {
  try {
    return (await stat(link)).isDirectory()
  } catch {
    // One that leads nowhere is told where it is read.
    return false
  }
}

/** What stands among cases and is none. */
function isAside(name: string, evalview: boolean): boolean {
  if (name === 'node_modules' || name.startsWith('.') || isEvalAside(name)) return true
  return evalview && /^(config|quarantine)\./.test(name)
}

/** What is in a file of cases, or why that cannot be told: the other files are read all the same. */
async function textOrFault(path: string): Promise<string | { fault: string }> {
  try {
    const { size } = await stat(path)
    const most = isEvalName(path) ? limits.evalFileBytes : limits.caseFileBytes
    if (size > most) return { fault: `The file is larger than ${most} bytes. Split it.` }
    return await readFile(path, 'utf8')
  } catch (error) {
    return { fault: fileComplaint('It cannot be read', error).message }
  }
}

/** Two cases of one name in one suite would share their baselines. */
function withoutTwins(read: readonly TestCase[], { cases, problems }: Pick<Suite, 'cases' | 'problems'>): TestCase[] {
  const known = new Map(cases.map((one) => [one.case_id, one]))
  return read.filter((one) => {
    const twin = known.get(one.case_id)
    const told = { level: 'error', file: one.file, line: one.line, path: 'name' } as const
    if (twin) problems.push({ ...told, message: `A case is called so in ${twin.file}:${twin.line} too: ${one.name}.` })
    return !twin
  })
}

function chosen(cases: readonly TestCase[], { tests, tags }: CaseChoice): TestCase[] {
  const missing = tests.filter((name) => cases.every((one) => one.name !== name && one.case_id !== name))
  if (missing.length > 0)
    throw new Complaint(`There is no case called ${missing.map(oneLine).join(', ')}. There are: ${namesOf(cases)}.`)
  const wanted = tags.map((tag) => tag.toLowerCase())
  const found = cases.filter(
    (one) =>
      (tests.length === 0 || tests.includes(one.name) || tests.includes(one.case_id)) &&
      (wanted.length === 0 || wanted.some((tag) => one.tags.includes(tag))),
  )
  if (found.length === 0 && wanted.length > 0) throw new Complaint(`No case has the tag ${wanted.join(' or ')}.`)
  return found
}

function namesOf(cases: readonly TestCase[]): string {
  const names = cases.slice(0, 10).map(({ name }) => oneLine(name))
  return cases.length > names.length ? `${names.join(', ')}, …` : names.join(', ')
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path)
    if (size > limits.caseFileBytes) throw new Complaint(`${path} is larger than ${limits.caseFileBytes} bytes.`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw error instanceof Complaint ? error : fileComplaint(path, error)
  }
}
