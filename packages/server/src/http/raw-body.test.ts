import { once } from 'node:events'
import { createServer, type IncomingMessage, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { readBody } from './raw-body.ts'

it('a body that does not arrive in time is refused, and its connection is not used again', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = httpRequest({ port, host: '127.0.0.1', method: 'POST', headers: { 'content-length': 10 } })
  client.on('error', () => undefined)
  client.write('half')
  const [stream] = (await once(server, 'request')) as [IncomingMessage]
  const reading = readBody({ stream, maxBytes: 100, claim: () => undefined, patienceMs: 20 })
  await expect(reading).rejects.toMatchObject({
    code: 'malformed_json',
    message: expect.stringContaining('did not arrive within 0.02 seconds'),
    cause: 'not drained',
  })
  client.destroy()
  server.closeAllConnections()
  server.close()
})
