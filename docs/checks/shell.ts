// A place in which the commands of a guide run as they stand, against a server of their own.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig, type RunningServer, startServer } from '@llm-eval/server'
import type { Block } from './markdown.ts'
import { root } from './markdown.ts'

export interface Shell {
  server: RunningServer
  /** Runs a block of shell commands or JavaScript to its end, and gives what it wrote to standard output. */
  run(block: Block): Promise<string>
  close(): Promise<void>
}

/** What the guides call `llm-eval`, and as much of curl as they need for machines that have none. */
const programs = {
  'first/llm-eval': `exec '${process.execPath}' --conditions=llm-eval-source --no-warnings '${join(root, 'packages/cli/src/main.ts')}' "$@"\n`,
  'last/curl': `exec '${process.execPath}' '${join(root, 'docs/checks/curl.mjs')}' "$@"\n`,
}

/** What lies in the folder before the server starts, and what addresses stand for. */
export interface Surroundings {
  /** Contents by name. A configuration file among them is the server's. */
  files?: Record<string, string>
  /** Other addresses that pages name, and where they lead to here. */
  addresses?: Record<string, string>
}

/** Starts a server with these settings, and makes a folder to run commands in. */
export async function openShell(
  settings: Record<string, unknown> = {},
  { files = {}, addresses = {} }: Surroundings = {},
): Promise<Shell> {
  const led = (code: string) =>
    Object.entries(addresses).reduce((text, [address, place]) => text.replaceAll(address, place), code)
  // Inside the repository, so that JavaScript finds the SDK.
  mkdirSync(join(root, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(root, '.cache/docs-'))
  for (const [name, command] of Object.entries(programs)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), `#!/bin/sh\n${command}`, { mode: 0o755 })
  }
  const work = join(folder, 'work')
  mkdirSync(work)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(work, name, '..'), { recursive: true })
    writeFileSync(join(work, name), led(content))
  }
  const flags = { port: 0, data: join(folder, 'data'), log_level: 'silent', ...settings }
  const { config } = await loadConfig({ flags, cwd: work })
  const server = await startServer({ config })
  const path = [join(folder, 'first'), join(process.execPath, '..'), process.env['PATH'], join(folder, 'last')]
  const env = {
    PATH: path.join(':'),
    HOME: folder,
    LLM_EVAL_DATA: config.data,
    NODE_OPTIONS: '--conditions=llm-eval-source',
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
  }

  async function run({ language, code }: Block): Promise<string> {
    const aimed = led(code.replaceAll('http://localhost:8000', server.url))
    const file = join(work, 'snippet.mjs')
    if (language === 'js') writeFileSync(file, aimed)
    // What a block exports holds for those after it, as in a terminal.
    const script = `if [ -f ../env ]; then . ../env; fi\n${language === 'js' ? `node ${file}` : aimed}\nexport -p > ../env\n`
    return new Promise((resolve, reject) => {
      execFile('sh', ['-euc', script], { cwd: work, env, timeout: 85_000 }, (error, stdout, stderr) => {
        if (error) reject(new Error(`${error.message}\n${stdout}\n${stderr}`))
        else resolve(stdout)
      })
    })
  }

  return {
    server,
    run,
    async close() {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
