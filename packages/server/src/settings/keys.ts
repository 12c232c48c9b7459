import { type ApiKey, Failure, limits, routes } from '@llm-eval/protocol'
import { createdKey, keyList } from '@llm-eval/protocol/answers'
import { keyInput } from '@llm-eval/protocol/schemas'
import * as z from 'zod'
import { isSameOrigin } from '../access/origins.ts'
import type { App, Deps } from '../http/app.ts'
import { mount } from '../http/mount.ts'

const keyParams = z.strictObject({ key_id: z.string().max(limits.nameChars) })

/** Listing, making and revoking API keys. */
export function registerKeys(app: App, { access, config, now }: Deps): void {
  mount(app, routes.listKeys, {
    schema: { response: { 200: keyList } },
    handler: async (request) => ({ items: await access.keys.list(request.principal.projectId) }),
  })

  mount(app, routes.createKey, {
    schema: { body: keyInput, response: { 201: createdKey } },
    handler: async (request, reply) => {
      const { principal, body } = request
      const wish = {
        name: body.name,
        project: body.project ?? principal.project,
        scopes: body.scopes,
        expiresAt: body.expires_at ?? null,
      }
      if (wish.project !== principal.project && principal.project !== 'default') {
        throw refused('project', 'only an admin of the default project may make keys for another one')
      }
      if (wish.expiresAt !== null && wish.expiresAt <= now()) throw refused('expires_at', 'lies in the past')
      const wasOpen = !access.required()
      if (wasOpen) refuseLockout(wish, config.host)
      const live = (await access.keys.list(principal.projectId)).filter(
        (key) => isLive(key) && key.project === wish.project,
      )
      if (live.length >= limits.keys) {
        throw refused('', `a project may have ${limits.keys} keys; revoke some that are not used`)
      }
      const key = await access.keys.create(wish)
      // From now on the server asks for a key. The page that made it goes on with it.
      if (wasOpen && isSameOrigin(request.host, request.headers, config))
        await access.startSession(request, reply, key.id)
      return reply.code(201).send(key)
    },
  })

  mount(app, routes.revokeKey, {
    schema: { params: keyParams, response: { 204: z.null().describe('The key is revoked.') } },
    handler: async (request, reply) => {
      const { principal, params } = request
      refuseLastAdmin(await access.keys.list(principal.projectId), params.key_id, now())
      if (!(await access.keys.revoke(params.key_id, principal.projectId))) throw new Failure('key_not_found')
      return reply.code(204).send()
    },
  })
}

type Wish = Pick<ApiKey, 'scopes' | 'project'> & { expiresAt: number | null }

/** The first key closes an open server: without an admin key nobody could ever make another one. */
function refuseLockout(wish: Wish, host: string): void {
  if (wish.scopes.includes('admin') && wish.project === 'default' && wish.expiresAt === null) return
  const why = `once a key exists, the server on ${host} asks everybody for one`
  throw refused('scopes', `the first key must be an admin key of the default project that does not expire: ${why}`)
}

function refuseLastAdmin(keys: readonly ApiKey[], id: string, at: number): void {
  const live = keys.filter(isLive)
  const revoked = live.find((key) => key.id === id)
  if (!revoked || !isHomeAdmin(revoked) || live.length === 1) return
  // One that expired opens nothing any more.
  if (live.some((key) => key.id !== id && isHomeAdmin(key) && !hasExpired(key, at))) return
  throw refused('key_id', 'this is the last admin key; make another one first, or revoke the other keys before it')
}

function isHomeAdmin(key: ApiKey): boolean {
  return key.project === 'default' && key.scopes.includes('admin')
}

function hasExpired(key: ApiKey, at: number): boolean {
  return key.expires_at !== null && Date.parse(key.expires_at) <= at
}

function isLive(key: ApiKey): boolean {
  return key.revoked_at === null
}

function refused(path: string, message: string): Failure {
  return new Failure('invalid_request', { errors: [{ path, message }] })
}
