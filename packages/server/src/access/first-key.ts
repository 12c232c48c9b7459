import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { generateKey, isWellFormedKey } from './keys.ts'
import { isLoopback } from './origins.ts'
import type { Access } from './guard.ts'

/** How the first person gets in. */
export interface FirstKey {
  /** The file that holds the admin key which was made; absent when none had to be. */
  path?: string
  /** For a sign-in link, usable once. */
  token?: string
}

interface Parts {
  access: Access
  config: Config
  log: Logger
}

/** How the key that an operator chose is named in lists. */
const givenName = 'LLM_EVAL_ADMIN_KEY'

/**
 * Sees to it that a server which others can reach is never open: takes over the operator's key, and if there is no key at
 * all makes one, which is kept in `admin.key` in the data directory, readable by its owner alone.
 */
export async function ensureFirstKey({ access, config, log }: Parts): Promise<FirstKey> {
  if (config.admin_key !== null) await takeOver(access, config.admin_key)
  if (access.keys.anyKeys() || isLoopback(config.host)) {
    if (!access.required() && config.public_url !== null && !isLoopback(new URL(config.public_url).hostname)) {
      log.warn('public_url is set and there is no API key: whoever reaches that URL may do everything')
    }
    return {}
  }
  const path = join(config.data, 'admin.key')
  const keyId = (await reuse(access, path)) ?? (await makeNew(access, path))
  const { token } = await access.tokens.issue('signin', keyId)
  return { path, token }
}

/** Stores the operator's key, and revokes the one they chose before. */
async function takeOver(access: Access, key: string): Promise<void> {
  if (await access.keys.byKey(key)) return
  const earlier = await access.keys.list(access.home)
  const made = await create(access, { name: givenName, key })
  if (made === undefined) throw new Error('The admin key of the configuration was revoked. Choose another one.')
  for (const old of earlier) {
    if (old.name === givenName && old.project === 'default' && old.revoked_at === null) {
      await access.keys.revoke(old.id, access.home)
    }
  }
}

/** The key in the file, when it is one and was not revoked: the file may be older than the database. */
async function reuse(access: Access, path: string): Promise<string | undefined> {
  const content = await readFile(path, 'utf8').catch(() => '')
  const key = content.trim()
  if (!isWellFormedKey(key)) return undefined
  await chmod(path, 0o600)
  return create(access, { name: 'admin.key', key })
}

async function makeNew(access: Access, path: string): Promise<string> {
  const key = generateKey()
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
  // Written whole before it appears under its name, and never readable by others in between.
  await writeFile(`${path}.new`, `${key}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
  const id = await create(access, { name: 'admin.key', key })
  if (id === undefined) throw new Error('The admin key could not be stored.')
  return id
}

async function create(access: Access, { name, key }: { name: string; key: string }): Promise<string | undefined> {
  const made = await access.keys.adopt({ name, project: 'default', scopes: ['admin'], expiresAt: null }, key)
  return made?.id
}
