import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { folder, startCommand, trace } from './stage.ts'

const cli = fileURLToPath(new URL('..', import.meta.url))
const root = join(cli, '../..')

interface Manifest {
  version: string
  dependencies: Record<string, string>
  bin: Record<string, string>
}

const manifestIn = (path: string) => JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest

/** Installs the tarball as npm would, with what it depends on taken from here: no network. */
function installed(): string {
  const base = folder()
  execFileSync(process.execPath, [join(cli, 'build.mjs'), '--out', join(base, 'staged')])
  execFileSync('npm', ['pack', join(base, 'staged'), '--pack-destination', base, '--loglevel=error'], { cwd: base })
  const tarball = readdirSync(base).find((name) => name.endsWith('.tgz')) ?? ''
  execFileSync('tar', ['-xzf', join(base, tarball), '-C', base])
  const home = join(base, 'home')
  mkdirSync(join(home, 'node_modules'), { recursive: true })
  renameSync(join(base, 'package'), join(home, 'node_modules/llm-eval'))
  for (const name of Object.keys(manifestIn(join(home, 'node_modules/llm-eval')).dependencies)) {
    const place = [join(cli, 'node_modules', name), join(root, 'node_modules', name)].find((path) => isThere(path))
    mkdirSync(join(home, 'node_modules', name, '..'), { recursive: true })
    symlinkSync(place ?? name, join(home, 'node_modules', name))
  }
  return home
}

function isThere(path: string): boolean {
  try {
    return readdirSync(path).length > 0
  } catch {
    return false
  }
}

test('the published tarball is whole: it runs, serves its dashboard and stores traces', {
  timeout: 120_000,
}, async () => {
  const home = installed()
  const place = join(home, 'node_modules/llm-eval')
  const { dependencies, version, bin } = manifestIn(place)
  expect(Object.keys(dependencies).filter((name) => /llm-eval/.test(name))).toEqual([])
  const command = join(place, bin['llm-eval'] ?? '')
  expect(execFileSync(process.execPath, [command, '--version'], { cwd: home, encoding: 'utf8' })).toBe(`${version}\n`)

  const server = startCommand([command, 'serve', '--port', '0'], { cwd: home })
  await server.says('curl')
  const url = /http:\/\/[\w.]+:\d+/.exec(server.out())?.[0] ?? ''
  const sent = await fetch(`${url}/webhook/trace`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(trace('packed', { user_query: 'searched for' })),
  })
  expect(await sent.json()).toMatchObject({ success: true, trace_ids: ['packed'] })
  const page = await fetch(url, { headers: { accept: 'text/html' } })
  expect(await page.text()).toContain('<div id="root">')
  const health = await fetch(`${url}/health`)
  expect(await health.json()).toMatchObject({ version })
  const list = execFileSync(process.execPath, [command, 'traces', 'list', '--json'], { cwd: home, encoding: 'utf8' })
  expect(JSON.parse(list)).toMatchObject({ trace_id: 'packed' })
  server.child.kill('SIGTERM')
  expect((await server.ended).code).toBe(0)
})
