// One WebSocket of runs that comes back by itself, right after what it has seen.
//
// It is a classic script, so that a page opened from disk can load it, where browsers refuse modules; a module imports it for its
// effect: `import './run-socket.js'`. It depends on nothing.
{
  /** Closed for good: coming back with the same key, run and query would end the same way. */
  const endings = {
    1003: 'This page sent what the server does not understand.',
    1008: 'This page sent too much that the server does not understand.',
    1009: 'This page sent too long a message.',
    4400: 'The server does not know such a query.',
    4401: 'The key or ticket is wrong, used up or revoked.',
    4403: 'The key may not read, or the server does not know pages from here.',
    4404: 'The run was deleted.',
    4408: 'This server wants a key or a ticket.',
  }
  const reasons = {
    1006: 'the connection was lost',
    1012: 'the server shuts down',
    1013: 'the server has too much to do',
    4429: 'opened too often',
  }

  /**
   * Follows runs until it is closed, over as many connections as it takes.
   *
   * @param {object} options
   * @param {string} options.server such as `http://localhost:8000`
   * @param {string} options.path `/ws/runs/ID/progress`, `/ws/runs/status` or `/ws`
   * @param {string} [options.token] a key or a ticket, said in the first message of each connection; a ticket is good for one
   * @param {string} [options.after] the `seq` to go on after; without it from now on
   * @param {{ run_id: string, filter?: object }} [options.subscribe] on `/ws`: what to follow there
   * @param {(frame: object) => void} options.onFrame is given each frame; of what is resumed, each once
   * @param {(link: { state: 'connecting' | 'live' | 'waiting' | 'ended' | 'closed', detail?: string, code?: number,
   *   resumed?: string, gap?: true, opened?: boolean }) => void} options.onLink is told how the connection is; `live` says `resumed`,
   *   the `seq` that it went on after, or `gap`, and `waiting` that it comes back by itself
   */
  globalThis.openRunSocket = (options) => {
    const { server, path, token, subscribe, onFrame, onLink } = options
    let after = options.after
    let failures = 0
    let opened = false
    let socket
    let retry
    let silence

    const connect = () => {
      onLink({ state: 'connecting', opened })
      const url = new URL(path, server)
      url.protocol = url.protocol.replace('http', 'ws')
      if (after !== undefined && !subscribe) url.searchParams.set('after_seq', after)
      socket = new WebSocket(url)
      socket.onopen = () => {
        if (token) say({ type: 'auth', token })
      }
      socket.onmessage = ({ data }) => hear(JSON.parse(data))
      socket.onclose = ({ code }) => left(code)
      listen()
    }

    const say = (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
    }

    // The server speaks every 15 seconds. After 45 without a word the network is gone, though nobody said so.
    const listen = () => {
      clearTimeout(silence)
      const heard = socket
      silence = setTimeout(() => {
        heard.onclose = null
        heard.close()
        left(1006)
      }, 45_000)
    }

    const hear = (frame) => {
      listen()
      if (frame.type === 'ping') return say({ type: 'pong' })
      if (frame.type === 'connected' && subscribe)
        return say({ type: 'subscribe', ...subscribe, ...(after === undefined ? {} : { after_seq: after }) })
      if (frame.type === 'connected' || (frame.type === 'subscribed' && frame.run_id === subscribe?.run_id)) {
        // A server that can go on says the place that it was asked for; else it begins anew, and `resync_required` says why.
        const isGap = after !== undefined && frame.seq !== after
        failures = 0
        opened = true
        onLink({ state: 'live', ...(isGap ? { gap: true } : { resumed: after }) })
      }
      // What else is subscribed to on this connection begins at a place of its own.
      if (frame.seq !== undefined && (frame.type !== 'subscribed' || subscribe)) after = frame.seq
      onFrame(frame)
    }

    const left = (code) => {
      clearTimeout(silence)
      if (endings[code]) return onLink({ state: 'ended', code, detail: endings[code], opened })
      // Twice as long each time, up to 15 seconds, and not all at the same moment.
      const ms = Math.min(500 * 2 ** failures++, 15_000) * (0.5 + Math.random() / 2)
      onLink({ state: 'waiting', code, detail: reasons[code] ?? `the connection was closed (${code})`, opened })
      retry = setTimeout(connect, ms)
    }

    connect()
    return {
      /** Sends a message, such as `{ type: 'subscribe', run_id }`; nothing while there is no connection. */
      say,
      /** The `seq` of what was seen last. */
      get after() {
        return after
      },
      close() {
        clearTimeout(retry)
        clearTimeout(silence)
        socket.onclose = null
        socket.onmessage = null
        socket.close(1000)
        onLink({ state: 'closed' })
      },
    }
  }
}
