import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { checkFloors } from './floors.mjs'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** The faults of a small house: by default a store above a protocol, and a server divided into rooms. */
function faultsOf(
  files: Record<string, string>,
  floors: Record<string, string[]>[] = [{ protocol: [] }, { store: ['protocol'] }],
): string[] {
  const base = mkdtempSync(join(tmpdir(), 'floors-'))
  folders.push(base)
  const tree = {
    'floors.json': JSON.stringify(floors),
    ...Object.fromEntries(
      ['protocol', 'store', 'server'].map((name) => [
        `packages/${name}/package.json`,
        JSON.stringify({ name: `@house/${name}` }),
      ]),
    ),
    'packages/protocol/src/index.ts': 'export const word = 1\n',
    'packages/store/src/index.ts': "export { word } from '@house/protocol'\n",
    ...files,
  }
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(base, path)), { recursive: true })
    writeFileSync(join(base, path), text)
  }
  return checkFloors(base).faults
}

const store = (text: string) => ({ 'packages/store/src/index.ts': `import { word } from '@house/protocol'\n${text}` })
const divided = [
  { protocol: [] },
  { store: ['protocol'] },
  { 'server/http': [] },
  { 'server/traces': ['server/http'], 'server/stream': [] },
  { server: ['server/traces', 'server/stream'] },
]
const server = {
  'packages/server/src/http/answer.ts': 'export const answer = 1\n',
  'packages/server/src/traces/list.ts': "export { answer } from '../http/answer.ts'\n",
  'packages/server/src/stream/frames.ts': 'export const frame = 1\n',
  'packages/server/src/main.ts': "import './traces/list.ts'\nimport './stream/frames.ts'\n",
}

test('a house that keeps to its floors has no fault', () => {
  expect(faultsOf({})).toEqual([])
  expect(faultsOf(server, divided)).toEqual([])
})

describe('imports', () => {
  test('an import of a floor above is a fault, listed or not', () => {
    const upward = {
      'packages/protocol/src/index.ts': "import type { Store } from '@house/store'\nexport const word = 1\n",
    }
    expect(faultsOf(upward)).toEqual([
      expect.stringContaining("index.ts:1: imports '@house/store': store is on a floor above protocol"),
    ])
    expect(faultsOf(upward, [{ protocol: ['store'] }, { store: ['protocol'] }])).toEqual([
      expect.stringContaining('on a floor above'),
    ])
  })

  test('an import that floors.json does not list is a fault', () => {
    expect(faultsOf({}, [{ protocol: [] }, { store: [] }])).toEqual([
      expect.stringContaining('store does not list protocol'),
    ])
  })

  test('each entry of a package is listed by itself', () => {
    const files = store("import { schema } from '@house/protocol/schemas'\n")
    expect(faultsOf(files)).toEqual([expect.stringContaining('store does not list protocol/schemas')])
    expect(faultsOf(files, [{ protocol: [] }, { store: ['protocol', 'protocol/schemas'] }])).toEqual([])
  })

  test('a listed import that nobody uses is a fault', () => {
    expect(faultsOf({ 'packages/store/src/index.ts': 'export const a = 1\n' })).toEqual([
      'floors.json: store lists protocol and does not import it. Take it out of the list.',
    ])
  })

  test('rooms of one floor do not know each other', () => {
    const files = { ...server, 'packages/server/src/stream/frames.ts': "import { answer } from '../traces/list.ts'\n" }
    expect(faultsOf(files, divided)).toEqual([expect.stringContaining('rooms of one floor do not know each other')])
  })

  test('a lower room of a divided package does not import its roof', () => {
    const files = { ...server, 'packages/server/src/http/answer.ts': "import '../main.ts'\n" }
    expect(faultsOf(files, divided)).toContainEqual(expect.stringContaining('server is on a floor above server/http'))
  })

  test('a folder of a divided package that floors.json does not know is a fault', () => {
    const files = { ...server, 'packages/server/src/extra/more.ts': 'export const more = 1\n' }
    expect(faultsOf(files, divided)).toEqual([expect.stringContaining('packages/server/src/extra: in no room')])
  })

  test('a package that floors.json does not know is a fault, and so is a room without files', () => {
    expect(faultsOf({}, [{ protocol: [] }])).toEqual([expect.stringContaining('packages/store/src: in no room')])
    expect(faultsOf({}, [{ protocol: [], engine: [] }, { store: ['protocol'] }])).toEqual([
      'floors.json: engine has no files. Take it out.',
    ])
  })

  test('another package is imported by its name, and the own package by its files', () => {
    expect(faultsOf(store("import '../../protocol/src/index.ts'\n"))).toEqual([
      expect.stringContaining('Import the package by its name'),
    ])
    expect(faultsOf(store("import '@house/store'\n"))).toEqual([expect.stringContaining('Import the file')])
  })

  test.each([
    ['over several lines', "import {\n  a,\n  b,\n} from '@house/store'"],
    ['re-exported', "export { a } from '@house/store'"],
    ['for its effect', "import '@house/store'"],
    ['on demand', "const later = () => import('@house/store')"],
    ['as a type', "type Later = import('@house/store').Later"],
    ['by require', "const now = require('@house/store')"],
    ['after an interface', "export interface A { b: string }\nimport { c } from '@house/store'"],
  ])('an import is seen %s', (_, text) => {
    expect(faultsOf({ 'packages/protocol/src/index.ts': text })).toEqual([expect.stringContaining('on a floor above')])
  })

  test.each([
    ['a comment', "// import { a } from '@house/store'\n/* export { a } from '@house/store' */"],
    ['a string', 'const text = "import { a } from \'@house/store\'"'],
    ['a template', "const text = `import { a } from '@house/store' ${[1].map((n) => `${n} '`)}`"],
    ['a regular expression', "const pattern = /['\"`]/\nconst text = `import '@house/store'`"],
  ])('what only looks like an import in %s is none', (_, text) => {
    expect(faultsOf({ 'packages/protocol/src/index.ts': text })).toEqual([])
  })

  test('tests import from any floor', () => {
    const text = "import '@house/store'\n"
    expect(faultsOf({ 'packages/protocol/src/index.test.ts': text, 'packages/protocol/test/whole.ts': text })).toEqual(
      [],
    )
  })
})

describe('rings', () => {
  test('files that import each other in a ring are a fault, even if only types go round', () => {
    expect(
      faultsOf({
        'packages/protocol/src/a.ts': "import type { B } from './b.ts'\nexport type A = B\n",
        'packages/protocol/src/b.ts': "import type { C } from './c.ts'\nexport type B = C\n",
        'packages/protocol/src/c.ts': "import type { A } from './a.ts'\nexport type C = A\n",
      }),
    ).toEqual([
      expect.stringContaining(
        'src/a.ts -> packages/protocol/src/b.ts -> packages/protocol/src/c.ts -> packages/protocol/src/a.ts',
      ),
    ])
  })

  test('two ways to the same file are no ring', () => {
    expect(
      faultsOf({
        'packages/protocol/src/a.ts': "import './b.ts'\nimport './c.ts'\n",
        'packages/protocol/src/b.ts': "import './c.ts'\n",
        'packages/protocol/src/c.ts': '',
      }),
    ).toEqual([])
  })
})

describe('files', () => {
  test.each([
    'utils.ts',
    'helpers.ts',
    'common.ts',
    'misc.ts',
    'types.ts',
    'trace-utils.ts',
    'trace.service.ts',
    'utils/sum.ts',
  ])('the name %s is a fault', (name) => {
    expect(faultsOf({ [`packages/store/src/${name}`]: '' })).toEqual([expect.stringContaining('says nothing')])
  })

  test('a name that only contains such a word is fine', () => {
    expect(faultsOf({ 'packages/store/src/commonality.ts': '', 'packages/store/src/content-type.ts': '' })).toEqual([])
  })

  test('500 lines are fine and 501 are a fault, but not in tests', () => {
    expect(faultsOf({ 'packages/store/src/long.ts': '\n'.repeat(499) + '//\n' })).toEqual([])
    expect(faultsOf({ 'packages/store/src/long.ts': '\n'.repeat(500) + '//\n' })).toEqual([
      expect.stringContaining('501 lines'),
    ])
    expect(faultsOf({ 'packages/store/src/long.test.ts': '\n'.repeat(500) + '//\n' })).toEqual([])
  })

  test('two folders below src are fine and three are a fault', () => {
    expect(faultsOf({ 'packages/store/src/a/b/c.ts': '' })).toEqual([])
    expect(faultsOf({ 'packages/store/src/a/b/c/d.ts': '' })).toEqual([
      expect.stringContaining('more than 2 folders below src'),
    ])
  })
})

describe('words', () => {
  test.each([
    ['vi.mock', "vi.mock('node:fs')"],
    ['as any', 'const a = 1 as any'],
    ['.skip(', "test.skip('later', () => {})"],
    ['.todo(', "test.todo('later')"],
    ['.only(', "test.only('this', () => {})"],
    ['.skipIf(', "test.skipIf(true)('sometimes', () => {})"],
    ['export *', "export * from './other.ts'"],
    ['@ts-ignore', '// @ts-ignore\nconst a: string = 1'],
  ])('%s is a fault, in tests too', (word, text) => {
    expect(faultsOf({ 'packages/store/src/a.test.ts': text })).toEqual([
      expect.stringContaining(`a.test.ts:1: \`${word}\``),
    ])
  })

  test('such words in strings, and in prose, are fine', () => {
    const text =
      "// we never use vi.mock, and as any reader knows, test.only('x') stays out\nconst words = ['as any', 'export *', '@ts-ignore']\n"
    expect(faultsOf({ 'packages/store/src/a.ts': text })).toEqual([])
  })

  test('the blocks of the seeds are left as they are', () => {
    expect(faultsOf({ 'examples/seed-001/utils.ts': 'const a = 1 as any' })).toEqual([])
  })
})
