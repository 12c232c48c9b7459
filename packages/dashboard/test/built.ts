import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const reads = [
  'package-lock.json',
  'packages/protocol/src',
  'packages/sdk/src',
  ...['src', 'public', 'index.html', 'vite.config.ts', 'package.json'].map((name) => `packages/dashboard/${name}`),
]

/**
 * Builds the dashboard as it is now and returns the folder. What was built before from the same sources is used again, so
 * test files that run side by side and one after the other share one build.
 */
export async function builtDashboard(): Promise<string> {
  const builds = join(root, '.cache/dashboard')
  const target = join(builds, fingerprint())
  if (existsSync(target)) return target
  await mkdir(builds, { recursive: true })
  const work = await mkdtemp(join(builds, 'building-'))
  try {
    const vite = join(root, 'node_modules/vite/bin/vite.js')
    // What the test runner says of the environment is not what a build is to see.
    const { NODE_ENV: _mode, VITEST: _runner, NODE_OPTIONS: _options, ...env } = process.env
    await promisify(execFile)(process.execPath, [vite, 'build', '--outDir', work, '--emptyOutDir', '--logLevel=warn'], {
      cwd: join(root, 'packages/dashboard'),
      env,
    })
    // Whoever comes second finds the folder in place; its content is the same.
    await rename(work, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  await forgetOld(builds)
  return target
}

const dayMs = 86_400_000

/** Builds of sources that are long gone. */
async function forgetOld(builds: string): Promise<void> {
  for (const name of await readdir(builds)) {
    const path = join(builds, name)
    const { mtimeMs } = await stat(path)
    if (Date.now() - mtimeMs > dayMs) await rm(path, { recursive: true, force: true })
  }
}

function fingerprint(): string {
  const hash = createHash('sha256')
  for (const path of reads.flatMap(filesUnder)) hash.update(`\0${path}\0`).update(readFileSync(join(root, path)))
  return hash.digest('hex').slice(0, 24)
}

function filesUnder(path: string): string[] {
  const entries = readdirSync(join(root, path, '..'), { withFileTypes: true })
  const entry = entries.find(({ name }) => path.endsWith(`/${name}`) || path === name)
  if (!entry?.isDirectory()) return path.includes('.test.') ? [] : [path]
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => filesUnder(`${path}/${name}`))
}
