import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { stripVTControlCharacters } from 'node:util'

/** @typedef {{ cwd?: string, env?: NodeJS.ProcessEnv }} Place where a command runs */
/** @typedef {{ command: string, args: string[] }} Command */

/**
 * Runs a command to its end and keeps what it prints, without colours.
 *
 * @param {Command} command
 * @param {Place} place
 * @returns {Promise<{ code: number, output: string }>} code 127 when the command could not be started; never rejects
 */
export function capture({ command, args }, place) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...place, stdio: ['ignore', 'pipe', 'pipe'] })
    /** @type {Buffer[]} */
    const chunks = []
    child.stdout.on('data', (chunk) => chunks.push(chunk))
    child.stderr.on('data', (chunk) => chunks.push(chunk))
    child.on('error', (error) => resolve({ code: 127, output: `${command}: ${error.message}` }))
    child.on('close', (code, signal) =>
      resolve({ code: exitCode(code, signal), output: stripVTControlCharacters(Buffer.concat(chunks).toString()) }),
    )
  })
}

/** Signals that ask a process to end. */
const endings = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

/** Two signals within this time are one request: npm and the terminal both pass on the same Ctrl-C. */
const sameRequestMs = 1_000

/**
 * Gives the terminal to a command, passes on requests to end, and waits until it has ended.
 *
 * The command gets a process group of its own, so that Ctrl-C in a terminal reaches it through this process alone:
 * once, although the terminal signals this process and npm, and npm signals this process again.
 *
 * @param {Command} command
 * @param {Place & { timeoutMs?: number }} place after `timeoutMs` the whole group is killed
 * @returns {Promise<number>} the exit code; 128 + n when signal n ended it, 127 when it could not be started
 */
export function handOver({ command, args }, { timeoutMs, ...place }) {
  const ownGroup = process.platform !== 'win32'
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...place, stdio: 'inherit', detached: ownGroup })
    let passedAt = -Infinity
    /** @param {NodeJS.Signals} signal */
    const pass = (signal) => {
      const now = performance.now()
      if (now - passedAt < sameRequestMs) return
      passedAt = now
      child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal)
    }
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => killGroup(child.pid, ownGroup), timeoutMs)
    for (const signal of endings) process.on(signal, pass)

    /** @param {number} code */
    const finish = (code) => {
      clearTimeout(timer)
      for (const signal of endings) process.off(signal, pass)
      resolve(code)
    }
    child.on('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`)
      finish(127)
    })
    child.on('exit', (code, signal) => finish(exitCode(code, signal)))
  })
}

/** @param {number | undefined} pid @param {boolean} ownGroup */
function killGroup(pid, ownGroup) {
  if (pid === undefined) return
  try {
    process.kill(ownGroup ? -pid : pid, 'SIGKILL')
  } catch {
    // It ended by itself in the meantime.
  }
}

/** @param {number | null} code @param {NodeJS.Signals | null} signal */
function exitCode(code, signal) {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
}
