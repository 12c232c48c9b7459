// node scripts/floors.mjs: checks that the code keeps to floors.json and to the house rules in CONTRIBUTING.md.
// Runs on Node 20 without any dependency.
//
// floors.json is a list of floors, the lowest first. A floor names its rooms, and each room what it imports.
// `store` is the folder packages/store/src, and `server/http` is packages/server/src/http.
// As something imported, `protocol/schemas` is the entry `./schemas` of the package in packages/protocol.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeOf, importsOf, lineOf } from './source.mjs'

/** @typedef {{ floor: number, imports: string[] }} Room */
/** @typedef {{ path: string, text: string, code: string, isTest: boolean, inPackage: boolean, room: string | undefined }} Source */
/** @typedef {{ from: Source, line: number, specifier: string, file: Source | undefined, to: string }} Import `to`: a room, or an entry of a package */
/** @typedef {{ rooms: Map<string, Room>, sources: Source[], imports: Import[] }} House */

const longestFile = 500
const deepestFolder = 2
const vagueNames = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'manager', 'service', 'types'])
const codeFolders = ['packages', 'examples', 'bench', 'scripts', 'conformance']

/**
 * @param {string} base the repository's root
 * @returns {{ faults: string[], summary: string }} each fault says what to do
 */
export function checkFloors(base) {
  const house = readHouse(base)
  const rules = [
    vagueFileNames,
    longFiles,
    deepFolders,
    bannedWords,
    foldersWithoutRoom,
    wrongImports,
    idleRooms,
    cycles,
  ]
  return {
    faults: rules.flatMap((rule) => rule(house)),
    summary: `${house.sources.length} files keep to ${house.rooms.size} rooms on ${new Set([...house.rooms.values()].map(({ floor }) => floor)).size} floors`,
  }
}

/** @param {string} base @returns {House} */
function readHouse(base) {
  /** @type {Record<string, string[]>[]} */
  const floors = JSON.parse(readFileSync(join(base, 'floors.json'), 'utf8'))
  const rooms = new Map(
    floors.flatMap((named, floor) => Object.entries(named).map(([room, imports]) => [room, { floor, imports }])),
  )
  const sources = codeFolders.flatMap((folder) => filesBelow(base, folder)).map((path) => readSource(base, path, rooms))
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const packages = packagesBelow(base)
  const imports = sources
    .filter((source) => source.inPackage && !source.isTest)
    .flatMap((from) =>
      importsOf(from.text, from.code).flatMap(({ specifier, line }) => {
        const file = fileOf(from, specifier, byPath)
        const to = file?.room ?? entryOf(specifier, packages)
        return to === undefined ? [] : [{ from, line, specifier, file, to }]
      }),
    )
  return { rooms, sources, imports }
}

/** @param {string} base @param {string} folder @returns {string[]} its files of code, relative to the root, with `/` as separator */
function filesBelow(base, folder) {
  if (!existsSync(join(base, folder))) return []
  return readdirSync(join(base, folder), { withFileTypes: true }).flatMap((entry) => {
    // What stands in the seeds is kept as its authors wrote it.
    if (['node_modules', 'dist'].includes(entry.name) || entry.name.startsWith('seed-')) return []
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return filesBelow(base, path)
    return /\.[cm]?[jt]sx?$/.test(entry.name) ? [path] : []
  })
}

/** @param {string} base @param {string} path @param {Map<string, Room>} rooms @returns {Source} */
function readSource(base, path, rooms) {
  const text = readFileSync(join(base, path), 'utf8')
  const [, name, inside] = /^packages\/([^/]+)\/src\/(.+)$/.exec(path) ?? []
  const isTest = /\.(test|contract)\.[jt]sx?$|\/test\//.test(path)
  const room = name === undefined || inside === undefined ? undefined : roomOf(name, inside, rooms)
  return { path, text, code: codeOf(text), isTest, inPackage: name !== undefined, room }
}

/**
 * @param {string} name of the package's folder
 * @param {string} inside the path below its src/
 * @param {Map<string, Room>} rooms
 */
function roomOf(name, inside, rooms) {
  const folder = `${name}/${inside.split('/')[0]}`
  if (rooms.has(folder)) return folder
  const divided = [...rooms.keys()].some((room) => room.startsWith(`${name}/`))
  // In a package that is divided into rooms, every folder is one.
  return rooms.has(name) && !(divided && inside.includes('/')) ? name : undefined
}

/** @param {string} base @returns {Map<string, string>} the folder below packages/ of each package, by the package's name */
function packagesBelow(base) {
  const manifest = (/** @type {string} */ folder) => join(base, 'packages', folder, 'package.json')
  const folders = existsSync(join(base, 'packages')) ? readdirSync(join(base, 'packages')) : []
  return new Map(
    folders
      .filter((folder) => existsSync(manifest(folder)))
      .map((folder) => [JSON.parse(readFileSync(manifest(folder), 'utf8')).name, folder]),
  )
}

/** @param {Source} from @param {string} specifier @param {Map<string, Source>} byPath @returns {Source | undefined} */
function fileOf(from, specifier, byPath) {
  if (!specifier.startsWith('.')) return undefined
  const path = posix.join(posix.dirname(from.path), specifier.replace(/\?.*$/, ''))
  return [path, `${path}.ts`, `${path}.tsx`, path.replace(/\.js$/, '.ts')].map((name) => byPath.get(name)).find(Boolean)
}

/** @param {string} specifier @param {Map<string, string>} packages @returns {string | undefined} as floors.json writes it; undefined for what is not ours */
function entryOf(specifier, packages) {
  const parts = specifier.split('/')
  const nameLength = specifier.startsWith('@') ? 2 : 1
  const folder = packages.get(parts.slice(0, nameLength).join('/'))
  return folder === undefined ? undefined : [folder, ...parts.slice(nameLength)].join('/')
}

/** @param {string} room @returns {string} the folder of its package */
function packageOf(room) {
  return room.replace(/\/.*$/, '')
}

// The rules. Each returns its faults.

/** @param {House} house */
function vagueFileNames({ sources }) {
  return sources.flatMap(({ path }) => {
    const vague = path.split('/').find((part, index, parts) => {
      const name = index === parts.length - 1 ? part.replace(/(\.(test|contract|d))?\.\w+$/, '') : part
      return vagueNames.has(name.toLowerCase()) || vagueNames.has(name.split(/[.-]/).at(-1) ?? '')
    })
    return vague === undefined ? [] : [`${path}: "${vague}" says nothing. Name the file after what is in it.`]
  })
}

/** @param {House} house */
function longFiles({ sources }) {
  return sources
    .filter(({ isTest }) => !isTest)
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > longestFile)
    .map(({ path, lines }) => `${path}: ${lines} lines. Split it along what it does; ${longestFile} is the most.`)
}

/** @param {House} house */
function deepFolders({ sources }) {
  return sources
    .filter(({ path }) => (/\/src\/(.*)/.exec(path)?.[1] ?? '').split('/').length - 1 > deepestFolder)
    .map(({ path }) => `${path}: more than ${deepestFolder} folders below src. Move it up.`)
}

const banned = [
  { pattern: /\bvi\s*\.\s*(mock|doMock)\b/g, advice: 'Hand the dependency in instead of mocking its module.' },
  { pattern: /\bas\s+any\b/g, advice: 'Parse the value, or give it its type.' },
  { pattern: /\.\s*(skip|todo|only|skipIf|runIf)\s*\(/g, advice: 'Make the test run, or take it out.' },
  { pattern: /\bexport\s+\*/g, advice: 'List the names, so that a reader sees what leaves the file.' },
]

/** @param {House} house */
function bannedWords({ sources }) {
  return sources.flatMap(({ path, text, code }) => [
    ...banned.flatMap(({ pattern, advice }) =>
      [...code.matchAll(pattern)].map((match) => `${path}:${lineOf(text, match.index)}: \`${match[0]}\`. ${advice}`),
    ),
    ...commentsOf(text, code).map(
      (at) =>
        `${path}:${lineOf(text, at)}: \`@ts-ignore\`. Mend the type; where a test is about a wrong type, use \`@ts-expect-error\`.`,
    ),
  ])
}

/** @param {string} text @param {string} code @returns {number[]} where a comment silences the compiler */
function commentsOf(text, code) {
  return [...text.matchAll(/(\/\/|\/\*)\s*@ts-(ignore|nocheck)\b/g)]
    .map(({ index }) => index)
    .filter((at) => code[at] === ' ')
}

/** @param {House} house */
function foldersWithoutRoom({ sources }) {
  const homeless = sources.filter(({ inPackage, isTest, room }) => inPackage && !isTest && room === undefined)
  const folders = new Set(homeless.map(({ path }) => posix.dirname(path)))
  return [...folders].map(
    (folder) => `${folder}: in no room of floors.json. Add it there, on the floor above all it imports.`,
  )
}

/** @param {House} house */
function wrongImports({ imports, rooms }) {
  return imports.flatMap(({ from, line, specifier, file, to }) => {
    const own = from.room
    if (own === undefined || (own === to && file !== undefined)) return []
    const place = `${from.path}:${line}: imports '${specifier}'`
    if (file !== undefined && packageOf(to) !== packageOf(own))
      return [`${place}, a file of another package. Import the package by its name.`]
    if (file === undefined && packageOf(to) === packageOf(own)) return [`${place}, its own package. Import the file.`]
    const mine = /** @type {Room} */ (rooms.get(own))
    const target = rooms.get(to) ?? rooms.get(packageOf(to))
    if (target === undefined) return [`${place}, which is in no room of floors.json. Add the room there.`]
    if (target.floor > mine.floor)
      return [`${place}: ${to} is on a floor above ${own}. Hand in what is needed, or move the code down.`]
    if (target.floor === mine.floor)
      return [
        `${place}: rooms of one floor do not know each other. Move what ${own} and ${to} share one floor down, or hand it in.`,
      ]
    if (!mine.imports.includes(to))
      return [`${place}: ${own} does not list ${to}. If it may know it, add it in floors.json.`]
    return []
  })
}

/** @param {House} house */
function idleRooms({ imports, rooms, sources }) {
  return [...rooms].flatMap(([room, { imports: listed }]) => {
    if (!sources.some((source) => source.room === room)) return [`floors.json: ${room} has no files. Take it out.`]
    return listed
      .filter((to) => !imports.some((one) => one.from.room === room && one.to === to))
      .map((to) => `floors.json: ${room} lists ${to} and does not import it. Take it out of the list.`)
  })
}

/** @param {House} house */
function cycles({ imports, sources }) {
  /** @type {Map<Source, Source[]>} */
  const next = new Map()
  for (const { from, file } of imports) if (file !== undefined) next.set(from, [...(next.get(from) ?? []), file])
  /** @type {Set<Source>} */
  const done = new Set()
  /** @type {string[]} */
  const faults = []
  /** @param {Source} source @param {Source[]} path that led to it */
  const walk = (source, path) => {
    const start = path.indexOf(source)
    if (start !== -1) {
      const ring = [...path.slice(start), source].map((one) => one.path).join(' -> ')
      faults.push(`${ring}: files that import each other in a ring. Move what they share into a file of its own.`)
      return
    }
    if (done.has(source)) return
    for (const one of next.get(source) ?? []) walk(one, [...path, source])
    done.add(source)
  }
  for (const source of sources) walk(source, [])
  return faults
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { faults, summary } = checkFloors(resolve(import.meta.dirname, '..'))
  process.stdout.write(faults.length === 0 ? `${summary}\n` : `${faults.join('\n')}\n\n${faults.length} faults\n`)
  process.exitCode = faults.length === 0 ? 0 : 1
}
