// What the tests of conversations stand on: the agent of seed 003 as a process, and a server with a bridge to it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Ground, openGround } from './scene.ts'

/** Starts a program of the examples that listens and says where, on a port that is free. */
export async function startProgram(
  file: string,
  { cwd, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ url: string; close: () => Promise<void> }> {
  const child: ChildProcess = spawn(process.execPath, [file], {
    env: { ...process.env, NODE_OPTIONS: '', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(cwd !== undefined && { cwd }),
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(String(chunk).trim()))
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)))
  })
  return {
    url,
    async close() {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
      child.kill()
      await gone
    },
  }
}

/** The agent `agent1`, without a model. */
export function startAdk(): ReturnType<typeof startProgram> {
  return startProgram(join(import.meta.dirname, 'seed-003/adk-server.mjs'))
}

/** A server with a bridge to the agent, by the name of agent1. */
export function openBridge(adk: string): Promise<Ground> {
  const target = {
    kind: 'adk' as const,
    url: adk,
    app_name: 'agent1',
    user_id: 'user',
    headers: {},
    forward_headers: {},
    token_env: null,
    token_command: null,
    api_key_env: null,
    timeout_seconds: 60,
  }
  return openGround({ targets: { agent1: target } })
}
