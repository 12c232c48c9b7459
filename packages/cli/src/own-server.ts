import { type Config, createAccess, createLog, loadConfig, type RunningServer, startServer } from '@llm-eval/server'
import { dashboard } from './dashboard.ts'
import { sourcesOf } from './settings.ts'
import { adminKey, givenKey, type GlobalOptions, type Target } from './target.ts'
import type { Terminal } from './terminal.ts'
import { ownVersion } from './version.ts'

/** A server that lives as long as a command does. */
export interface OwnServer {
  target: Target
  close(): Promise<void>
}

/** A key that is made for one command should outlive it, and not for long. */
const keyMs = 86_400_000

/**
 * Starts a server on the data directory, on a free port that only this machine reaches.
 *
 * @throws {DataDirectoryBusy} when another process holds the directory
 */
export async function startOwnServer(terminal: Terminal, options: GlobalOptions): Promise<OwnServer> {
  const sources = sourcesOf(terminal, { ...options, host: '127.0.0.1', port: '0' })
  const { config } = await loadConfig({
    ...sources,
    flags: { ...sources.flags, log_level: options.debug ? 'info' : 'silent' },
  })
  const log = createLog(config)
  const server = await startServer({ config, log, version: ownVersion(), ...dashboard() })
  try {
    const given = givenKey(terminal, options) ?? config.admin_key ?? (await adminKey(config.data))
    const { key, revoke } =
      given === null ? await makeKey(server, config) : { key: given, revoke: async () => undefined }
    return {
      target: { url: server.url, key },
      async close() {
        await revoke()
        await server.close()
      },
    }
  } catch (error) {
    await server.close()
    throw error
  }
}

/** Whoever may open the directory may do everything in it: where keys are asked for one is made, and revoked at the end. */
async function makeKey(
  { store }: RunningServer,
  config: Config,
): Promise<{ key: string | null; revoke: () => Promise<unknown> }> {
  const access = await createAccess({
    store,
    config,
    now: Date.now,
    log: createLog({ ...config, log_level: 'silent' }),
  })
  if (!access.required()) return { key: null, revoke: async () => undefined }
  const made = await access.keys.create({
    name: 'llm-eval run',
    project: 'default',
    scopes: ['admin'],
    expiresAt: Date.now() + keyMs,
  })
  return { key: made.key, revoke: () => access.keys.revoke(made.id, access.home) }
}
