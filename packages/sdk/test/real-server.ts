import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, defaultConfig, type RunningServer, startServer } from '@llm-eval/server'

/** The real server on a free port, with its data in a folder that goes when it does. */
export interface RealServer extends AsyncDisposable {
  readonly url: string
  readonly running: RunningServer
  /** Closes it and starts it again at the same URL with the same data. */
  restart(): Promise<void>
}

/** Starts one. */
export async function startRealServer(changes: Partial<Config> = {}): Promise<RealServer> {
  const data = await mkdtemp(join(tmpdir(), 'llm-eval-sdk-server-'))
  const config: Config = { ...defaultConfig(), data, port: 0, log_level: 'silent', synchronous: 'normal', ...changes }
  let running = await startServer({ config })
  const { url } = running
  return {
    url,
    get running() {
      return running
    },
    async restart() {
      await running.close()
      running = await startServer({ config: { ...config, port: Number(new URL(url).port) } })
    },
    async [Symbol.asyncDispose]() {
      await running.close()
      await rm(data, { recursive: true, force: true })
    },
  }
}
