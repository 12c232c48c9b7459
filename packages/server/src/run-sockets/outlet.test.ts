import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { SocketOutlet, toMessage } from './outlet.ts'

const servers: WebSocketServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    for (const client of server.clients) client.terminate()
    server.close()
  }
})

async function pair(): Promise<{ outlet: SocketOutlet; client: WebSocket }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  servers.push(server)
  await once(server, 'listening')
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const [socket, request] = (await once(server, 'connection')) as [WebSocket, IncomingMessage]
  if (client.readyState === WebSocket.CONNECTING) await once(client, 'open')
  return { outlet: new SocketOutlet(socket, request.socket, 60_000), client }
}

describe('the writing end of a socket', () => {
  it('frames texts of every length as the client reads them, several in one write', async () => {
    const { outlet, client } = await pair()
    const texts = [0, 1, 125, 126, 65_535, 65_536, 200_000].map((length) => 'x'.repeat(length))
    const given = [...texts, 'Ünïcode 文字 🙂']
    const received: string[] = []
    client.on('message', (data: Buffer) => received.push(data.toString()))
    outlet.write(Buffer.concat(given.map(toMessage)))
    outlet.close(1000, '')
    await once(client, 'close')
    expect(received).toEqual(given)
  })

  it('is closed with 1013 when answers pile up that nobody reads', async () => {
    const { outlet, client } = await pair()
    client.pause()
    const padding = 'x'.repeat(10_000)
    for (let i = 0; i < 10_000 && !outlet.closed; i++) outlet.tell({ padding })
    expect(outlet.closed).toBe(true)
    client.resume()
    const [code] = (await once(client, 'close')) as [number]
    expect(code).toBe(1013)
  })

  it('does one thing after the other, also after one that failed', async () => {
    const { outlet } = await pair()
    const done: string[] = []
    const first = outlet.inTurn(async () => {
      await Promise.resolve()
      done.push('first')
      throw new Error('broken')
    })
    const second = outlet.inTurn(async () => done.push('second'))
    await expect(first).rejects.toThrow('broken')
    await second
    expect(done).toEqual(['first', 'second'])
  })
})
