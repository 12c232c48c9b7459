import { setTimeout as delay } from 'node:timers/promises'
import helmet from '@fastify/helmet'
import { formatCursor } from '@llm-eval/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { answerMissing } from './answers.ts'
import type { App, Deps, Register } from './app.ts'
import { type DashboardFile, type Encoding, readDashboard } from './dashboard-files.ts'
import { missingDashboardPage } from './missing-dashboard.ts'

/** Paths that belong to the API: a browser that opens one is told that nothing is there, and gets no page. */
const apiPath = /^\/(api|webhook|stream|ws|v1|v2|export|assets|docs|openapi\.json|health|ready|metrics)(\/|$)/

/**
 * Serves the built dashboard for every GET that no route answers: its files as they are, and its page for each path that
 * a browser opens, since the dashboard routes by itself.
 *
 * @param directory of the build; when it is missing, a page says how to build it
 */
export function serveDashboard(directory: string): Register {
  return (app, deps) => {
    void app.register(async (scope: App) => {
      const files = await readDashboard(directory)
      await scope.register(helmet, securityHeaders(deps))
      scope.get('/*', { schema: { hide: true } }, async (request, reply) => {
        const path = request.url.split('?', 1)[0] ?? '/'
        const file = files.get(path)
        if (file) return sendFile(file, { request, reply })
        // The first page is there for whoever looks whether it is, such as curl.
        if (apiPath.test(path) || (path !== '/' && !accepts(request, 'text/html'))) {
          return answerMissing(deps, { mounted: app.mounted, request, reply })
        }
        const page = files.get('/index.html')
        if (page) {
          await tellPlace(deps, { request, reply })
          return sendFile(page, { request, reply })
        }
        return reply
          .code(503)
          .header('cache-control', 'no-store')
          .type('text/html; charset=utf-8')
          .send(missingDashboardPage)
      })
    })
  }
}

interface Exchange {
  request: FastifyRequest
  reply: FastifyReply
}

/** How long the page waits for the place, in milliseconds: a database that does not answer is the page's to tell. */
const placeMs = 2_000

/**
 * Tells who may read where the journal of their project stands before the page reads anything, in a header that its
 * scripts can see: followed from there, the stream leaves no gap, and nothing need be read twice.
 */
async function tellPlace({ access, store }: Deps, { request, reply }: Exchange): Promise<void> {
  // What is told to one reader is not kept for another.
  reply.header('cache-control', 'private, no-cache')
  const late = new AbortController()
  const find = async (): Promise<string | null> => {
    const reader = await access.reader(request)
    if (reader === null) return null
    const { epoch, seq } = await store.read(reader.projectId, 'head', {})
    return `${formatCursor({ epoch, seq })} ${encodeURIComponent(reader.project)}`
  }
  const place = await Promise.race([find(), delay(placeMs, null, { signal: late.signal })]).catch(() => null)
  late.abort()
  if (place !== null) reply.header('server-timing', `journal;desc="${place}"`)
}

async function sendFile(file: DashboardFile, { request, reply }: Exchange) {
  const encoding = chooseEncoding(request, file.encodings)
  const { body, etag } = await file.read(encoding)
  reply.header('etag', etag)
  if (file.immutable) reply.header('cache-control', 'public, max-age=31536000, immutable')
  else if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-cache')
  if (file.encodings.length > 1) reply.header('vary', 'accept-encoding')
  if (request.headers['if-none-match']?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)) {
    return reply.code(304).send()
  }
  if (encoding !== 'identity') reply.header('content-encoding', encoding)
  return reply.type(file.type).send(body)
}

function chooseEncoding(request: FastifyRequest, possible: readonly Encoding[]): Encoding {
  const accepted = request.headers['accept-encoding']
  const header = Array.isArray(accepted) ? accepted.join(',') : (accepted ?? '')
  const refused = /;\s*q=0(\.0*)?$/
  const names = header
    .toLowerCase()
    .split(',')
    .map((part) => part.trim())
    .filter((part) => !refused.test(part))
    .map((part) => part.split(';', 1)[0] ?? '')
  return possible.find((encoding) => names.includes(encoding)) ?? 'identity'
}

function accepts(request: FastifyRequest, type: string): boolean {
  return request.headers.accept?.includes(type) === true
}

function securityHeaders({ config }: Deps) {
  const self = ["'self'"]
  const none = ["'none'"]
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: self,
        scriptSrc: self,
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: self,
        workerSrc: self,
        objectSrc: none,
        baseUri: none,
        frameAncestors: none,
      },
    },
    xFrameOptions: { action: 'deny' as const },
    // A promise for a year that this name speaks TLS; only where it does.
    strictTransportSecurity:
      config.public_url?.startsWith('https:') === true ? { maxAge: 31_536_000 } : (false as const),
  }
}
