import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { SocketOutlet } from '../src/run-sockets/outlet.ts'

/** A WebSocket with both of its ends. */
export interface SocketPair extends Disposable {
  outlet: SocketOutlet
  client: WebSocket
}

export async function socketPair(): Promise<SocketPair> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const [socket, request] = (await once(server, 'connection')) as [WebSocket, IncomingMessage]
  if (client.readyState === WebSocket.CONNECTING) await once(client, 'open')
  return {
    outlet: new SocketOutlet(socket, request.socket, 60_000),
    client,
    [Symbol.dispose]() {
      client.terminate()
      socket.terminate()
      server.close()
    },
  }
}
