/** The shared worker: one stream for all tabs of this browser. */
import { createHub, type FromTab } from './hub.ts'
import { upstreamOf } from './upstream.ts'

const hub = createHub({ open: upstreamOf(location.origin), later: (callback, ms) => void setTimeout(callback, ms) })

addEventListener('connect', (event) => {
  const port = (event as MessageEvent).ports[0]
  if (!port) return
  const take = hub.connect((message) => port.postMessage(message))
  port.addEventListener('message', ({ data }: MessageEvent<FromTab>) => take(data))
  port.start()
})
