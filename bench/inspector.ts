import type { Measured, MeasuredOptions } from './server.ts'
import { startProduct } from './server.ts'

/** A product under measurement that can be told to collect its garbage. */
export interface Inspected extends Measured {
  collectGarbage(): Promise<void>
  /** Bytes of live objects after that, on the main thread. */
  heapBytes(): Promise<number>
}

/** Starts the product with Node's inspector on a loopback port. It costs a few megabytes, so compare like with like. */
export async function startInspected(options: MeasuredOptions): Promise<Inspected> {
  const { promise: address, resolve } = Promise.withResolvers<string>()
  const onError = (text: string) => {
    const url = /ws:\/\/\S+/.exec(text)?.[0]
    if (url !== undefined) resolve(url)
  }
  const product = await startProduct({ ...options, onError, execArgv: ['--inspect=127.0.0.1:0'] })
  const socket = new WebSocket(await address)
  await new Promise((open, fail) => {
    socket.addEventListener('open', open, { once: true })
    socket.addEventListener('error', fail, { once: true })
  })
  let next = 1
  const ask = (method: string): Promise<Record<string, unknown>> => {
    const id = next++
    return new Promise((answered) => {
      const listen = ({ data }: MessageEvent<string>) => {
        const message = JSON.parse(data) as { id?: number; result?: Record<string, unknown> }
        if (message.id !== id) return
        socket.removeEventListener('message', listen)
        answered(message.result ?? {})
      }
      socket.addEventListener('message', listen)
      socket.send(JSON.stringify({ id, method }))
    })
  }
  return {
    ...product,
    collectGarbage: async () => void (await ask('HeapProfiler.collectGarbage')),
    heapBytes: async () => Number((await ask('Runtime.getHeapUsage'))['usedSize']),
    stop: async () => {
      socket.close()
      await product.stop()
    },
  }
}
