// The agent that a guide shows, running.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './markdown.ts'

export interface RunningAgent {
  /** Such as `http://127.0.0.1:40123`. */
  url: string
  close(): Promise<void>
}

/** Listens on a port that is free, whatever the page says, and tells which. */
const elsewhere = `
import { Server } from 'node:net'
const { listen } = Server.prototype
Server.prototype.listen = function () {
  this.once('listening', () => process.send({ port: this.address().port }))
  return listen.call(this, 0, '127.0.0.1')
}
`

/** Runs a program that listens. */
export async function startAgent(code: string): Promise<RunningAgent> {
  // Inside the repository, so that it finds the SDK.
  mkdirSync(join(root, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(root, '.cache/docs-agent-'))
  writeFileSync(join(folder, 'agent.mjs'), code)
  writeFileSync(join(folder, 'elsewhere.mjs'), elsewhere)
  const child = fork(join(folder, 'agent.mjs'), {
    execArgv: ['--conditions=llm-eval-source', '--import', join(folder, 'elsewhere.mjs')],
  })
  const ended = once(child, 'exit')
  const close = async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  const heard: unknown = await Promise.race([once(child, 'message').then(([message]: unknown[]) => message), ended])
  if (typeof heard === 'object' && heard !== null && 'port' in heard)
    return { url: `http://127.0.0.1:${String(heard.port)}`, close }
  await close()
  throw new Error('The agent ended before it listened.')
}
