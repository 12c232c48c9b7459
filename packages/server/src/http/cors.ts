import type { FastifyCorsOptions } from '@fastify/cors'
import type { FastifyRequest } from 'fastify'
import type { Access } from '../access/guard.ts'

const readable = [
  'Allow',
  'Retry-After',
  'X-Request-Id',
  'RateLimit',
  'RateLimit-Policy',
  'X-Rate-Limit',
  'X-Rate-Limit-Remaining',
  'X-Rate-Limit-Reset',
]

/** Which other origins' pages may read our answers. Never with cookies: those speak for our own pages alone. */
export function corsOptions(access: Access) {
  return (request: FastifyRequest, done: (error: Error | null, options: FastifyCorsOptions) => void): void => {
    const { origin } = request.headers
    done(null, {
      origin: origin !== undefined && access.allowsOrigin(origin) ? origin : false,
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      exposedHeaders: readable,
      maxAge: 600,
      strictPreflight: false,
    })
  }
}
