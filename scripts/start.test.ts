import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

const scripts = fileURLToPath(new URL('.', import.meta.url))
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** Writes what the real tool writes, and the tool's name into the file `ran`; fails when the source says so. */
const tool = (name: string, ...outputs: string[]) => `
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
const base = new URL('../../../', import.meta.url)
if (readFileSync(new URL('packages/protocol/src/index.ts', base), 'utf8').includes('broken')) {
  console.log('index.ts: it is broken')
  process.exit(2)
}
for (const output of ${JSON.stringify(outputs)}) {
  mkdirSync(new URL('./', new URL(output, base)), { recursive: true })
  writeFileSync(new URL(output, base), '')
}
appendFileSync(new URL('ran', base), '${name} ')
`

/** Says what it was asked to do; told to end, it says so and goes on until its input says "finish". */
const server = `
let told = 0
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => console.log(signal + ' ' + ++told))
process.stdin.on('data', () => { console.log('told ' + told + ' times'); process.exit(3) })
console.log('asked to ' + process.argv.slice(2).join(' '))
`

const manifest = (fields: object) => JSON.stringify({ version: '1.0.0', type: 'module', ...fields })

let origin: string
beforeAll(() => {
  origin = mkdtempSync(join(tmpdir(), 'start-'))
  writeRepository(origin)
})
afterAll(() => rmSync(origin, { recursive: true }))

function freshClone(): string {
  const base = mkdtempSync(join(tmpdir(), 'start-'))
  folders.push(base)
  cpSync(origin, base, { recursive: true })
  return base
}

/** A small repository that has our scripts, and stand-ins for the compiler, the bundler and the server. */
function writeRepository(base: string): void {
  for (const name of readdirSync(scripts).filter((name) => name.endsWith('.mjs'))) {
    cpSync(join(scripts, name), join(base, 'scripts', name))
  }
  const names = ['typescript', 'vite', 'protocol', 'sdk', 'dashboard', 'cli']
  const workspaces = names.map((name) => `packages/${name}`)
  const files = {
    'package.json': manifest({ name: 'house', workspaces, scripts: { start: 'exec node scripts/start.mjs' } }),
    ...Object.fromEntries(names.map((name) => [`packages/${name}/package.json`, manifest({ name })])),
    'packages/protocol/src/index.ts': '',
    'packages/dashboard/index.html': '',
    'packages/typescript/bin/tsc': tool('compiled', 'packages/protocol/dist/.tsbuildinfo'),
    'packages/vite/bin/vite.js': tool('bundled', 'packages/dashboard/dist/index.html'),
    'packages/sdk/build.mjs': tool('packed', 'packages/sdk/dist/index.js', 'packages/sdk/dist/evaluation.js').replace(
      '../../../',
      '../../',
    ),
    'packages/cli/bin/llm-eval.js': server,
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(base, path)), { recursive: true })
    writeFileSync(join(base, path), text)
  }
  execFileSync('npm', ['--loglevel=error', 'install', '--package-lock-only', '--offline', '--no-audit', '--no-fund'], {
    cwd: base,
  })
}

interface Started {
  process: ChildProcess
  /** Resolves with everything printed so far, once a line says this. */
  says: (words: string) => Promise<string>
  /** Everything printed, and the exit code, once it has ended. */
  ended: Promise<{ output: string; code: number | null }>
}

function start(base: string, command: string[], env: NodeJS.ProcessEnv = {}): Started {
  const [file = '', ...args] = command
  const child = spawn(file, args, { cwd: base, env: { ...process.env, ...env } })
  let output = ''
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output += `${line}\n`
      for (const listener of listeners) listener()
    })
  }
  const ended = once(child, 'close').then(([code]: (number | null)[]) => ({ output, code: code ?? null }))
  const says = async (words: string) => {
    const heard = new Promise<void>((resolve) => {
      const listener = () => output.includes(words) && resolve()
      listeners.add(listener)
      listener()
    })
    await Promise.race([heard, ended])
    expect(output).toContain(words)
    return output
  }
  return { process: child, says, ended }
}

const startScript = [process.execPath, 'scripts/start.mjs']
const ran = (base: string) =>
  existsSync(join(base, 'ran')) ? readFileSync(join(base, 'ran'), 'utf8').trim().split(' ').sort() : []

async function startAndFinish(base: string, args: string[] = []): Promise<string> {
  const started = start(base, [...startScript, ...args])
  await started.says('asked to')
  started.process.stdin?.write('finish\n')
  return (await started.ended).output
}

describe('npm start', () => {
  test('in a fresh clone it installs, builds, and hands its arguments to the server', async () => {
    const base = freshClone()
    const output = await startAndFinish(base, ['--port', '9000', '--data', 'here'])
    expect(output).toMatch(/^Installing dependencies/)
    expect(output).toContain('asked to serve --port 9000 --data here')
    expect(ran(base)).toEqual(['bundled', 'compiled', 'packed'])
  })

  test('the second time it goes straight to the server', async () => {
    const base = freshClone()
    await startAndFinish(base)
    rmSync(join(base, 'ran'))
    expect(await startAndFinish(base)).toMatch(/^asked to serve\n/)
    expect(ran(base)).toEqual([])
  })

  test('it builds again what a change made stale, and nothing for a change of a test', async () => {
    const base = freshClone()
    await startAndFinish(base)
    rmSync(join(base, 'ran'))
    writeFileSync(join(base, 'packages/protocol/src/index.test.ts'), 'test')
    await startAndFinish(base)
    expect(ran(base)).toEqual([])
    writeFileSync(join(base, 'packages/dashboard/index.html'), 'changed')
    await startAndFinish(base)
    expect(ran(base)).toEqual(['bundled'])
  })

  test('it installs nothing over what `npm ci` by hand has installed', async () => {
    const base = freshClone()
    execFileSync('npm', ['--loglevel=error', 'ci', '--offline', '--no-audit', '--no-fund'], { cwd: base })
    expect(await startAndFinish(base)).not.toContain('Installing')
  })

  test('it installs again when the dependencies changed', async () => {
    const base = freshClone()
    await startAndFinish(base)
    writeFileSync(join(base, 'packages/cli/package.json'), manifest({ name: 'cli', dependencies: { vite: '1.0.0' } }))
    execFileSync(
      'npm',
      ['--loglevel=error', 'install', '--package-lock-only', '--offline', '--no-audit', '--no-fund'],
      { cwd: base },
    )
    rmSync(join(base, 'node_modules/.package-lock.json'))
    expect(await startAndFinish(base)).toMatch(/^Installing dependencies/)
  })

  test('a build that fails is shown, and the server is not started', async () => {
    const base = freshClone()
    writeFileSync(join(base, 'packages/protocol/src/index.ts'), 'broken')
    const { output, code } = await start(base, startScript).ended
    expect(output).toContain('index.ts: it is broken')
    expect(output).toContain('Building packages failed (exit 2).')
    expect(output).not.toContain('asked to serve')
    expect(code).toBe(1)
  })

  test('dependencies that cannot be fetched are explained in a sentence, without a stack trace', async () => {
    const base = freshClone()
    const lock = join(base, 'package-lock.json')
    const missing = { name: 'cli', dependencies: { 'a-package-nobody-has-cached': '1.0.0' } }
    writeFileSync(join(base, 'packages/cli/package.json'), manifest(missing))
    const locked = JSON.parse(readFileSync(lock, 'utf8')) as { packages: Record<string, object> }
    locked.packages['packages/cli'] = { version: '1.0.0', ...missing }
    locked.packages['node_modules/a-package-nobody-has-cached'] = {
      version: '1.0.0',
      integrity: `sha512-${'A'.repeat(86)}==`,
    }
    writeFileSync(lock, JSON.stringify(locked))
    const { output, code } = await start(base, startScript, { npm_config_offline: 'true' }).ended
    expect(output).toContain('The package registry could not be reached.')
    expect(output).not.toMatch(/^ {4}at /m)
    expect(code).toBe(1)
  })

  test.each([
    ['the script', startScript],
    ['npm', ['npm', 'start']],
  ])(
    'asked twice to end through %s, the server is told once and waited for, and its exit code is kept',
    async (_, command) => {
      const started = start(freshClone(), command)
      await started.says('asked to serve')
      started.process.kill('SIGTERM')
      started.process.kill('SIGTERM')
      await started.says('SIGTERM 1')
      expect(started.process.exitCode).toBe(null)
      started.process.stdin?.write('finish\n')
      const { output, code } = await started.ended
      expect(output).toContain('told 1 times')
      expect(code).toBe(3)
    },
  )
})
