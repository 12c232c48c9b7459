import { runSocketRoutes } from '@llm-eval/protocol'
import type { LineSocket, SocketHandlers } from './run-line.ts'

/** Opens the socket of the statuses of all runs in a browser. */
export function openRunSocket(query: URLSearchParams, { onText, onClose }: SocketHandlers): LineSocket {
  const address = new URL(`${runSocketRoutes.runStatusSocket.path}?${query}`, location.origin)
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:'
  const socket = new WebSocket(address)
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') onText(data)
  })
  socket.addEventListener('close', ({ code }) => onClose(code))
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    close: () => socket.close(),
  }
}
