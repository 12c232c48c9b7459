import { once } from 'node:events'
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'

/** Cuts a connection: `before` a message of the client reaches the server, or `after` the server has answered it. */
export interface Cut {
  when: 'before' | 'after'
  /** Bytes that the client's message holds. */
  message: string
  /** Bytes of the answer to wait for. */
  answer: string
}

/** A way to a Postgres server that can be blocked and cut. */
export interface Proxy extends AsyncDisposable {
  url: string
  /** Cuts all connections, and refuses new ones until `unblock`. */
  block(): Promise<void>
  unblock(): Promise<void>
  /** Cuts the next connection that says this, after those that were asked for before; resolves when it did. */
  cutNext(cut: Cut): Promise<void>
}

/** Stands between a client and the server that this URL names. */
export async function startProxy(serverUrl: string): Promise<Proxy> {
  const target = new URL(serverUrl)
  const sockets = new Set<Socket>()
  const armed: { cut: Cut; done: () => void }[] = []

  const server = createServer((client) => {
    const upstream = dial(Number(target.port), target.hostname)
    const both = [client, upstream]
    const end = () => both.forEach((socket) => socket.destroy())
    let awaited: { answer: string; done: () => void } | undefined
    client.on('data', (data) => {
      const [next] = armed
      if (next && data.includes(next.cut.message)) {
        const { cut, done } = next
        armed.shift()
        if (cut.when === 'before') {
          end()
          return done()
        }
        awaited = { answer: cut.answer, done }
      }
      upstream.write(data)
    })
    upstream.on('data', (data) => {
      if (!awaited) return client.write(data)
      if (!data.includes(awaited.answer)) return
      end()
      awaited.done()
    })
    for (const socket of both) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  const url = new URL(serverUrl)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  const block = async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    url: url.href,
    block,
    unblock: () => listen(port),
    cutNext: (cut) =>
      new Promise<void>((done) => {
        armed.push({ cut, done })
      }),
    async [Symbol.asyncDispose]() {
      if (server.listening) await block()
    },
  }
}
