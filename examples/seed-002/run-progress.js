// Follows one run, for components of any framework: it holds the newest state, and tells when there is another.
import './run-socket.js'
import './run-state.js'

const { openRunSocket, runState } = globalThis

/**
 * The connection is open while anybody listens. Who listens again goes on where the last one left.
 *
 * @param {string} runId also of a run that is yet to be made
 * @param {{ server: string, token?: string }} where
 */
export function followRun(runId, { server, token }) {
  let state = { ...runState.unknown(runId), link: { state: 'closed' } }
  const listeners = new Set()
  let socket
  let after

  const change = (next) => {
    state = next
    for (const listener of listeners) listener()
  }
  const open = () =>
    openRunSocket({
      server,
      token,
      path: `/ws/runs/${encodeURIComponent(runId)}/progress`,
      after,
      onFrame: (frame) => change(runState.after(state, frame)),
      onLink: (link) => change({ ...state, link: { resumed: state.link.resumed, ...link } }),
    })

  return {
    /** The newest state: another object only when something changed. */
    get: () => state,
    /** Calls back at every change. Returns what ends that. */
    subscribe: (listener) => {
      listeners.add(listener)
      socket ??= open()
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0 || !socket) return
        after = socket.after
        socket.close()
        socket = undefined
      }
    },
  }
}

/** Words and numbers for a state, which every component shows alike. */
export function wordsOf({ status, progress, rate, eta, summary, failure, link }) {
  const total = progress?.total_items ?? null
  const completed = progress?.completed_items ?? 0
  const share = total === null ? null : total === 0 ? 1 : completed / total
  const percent = share === null ? undefined : Math.floor(share * 100)
  return {
    /** Of the bar. */
    width: `${(share ?? 0) * 100}%`,
    now: percent,
    percent: percent === undefined ? 'unknown' : `${percent} %`,
    counted: `${completed} of ${total ?? 'unknown'}`,
    successRate: progress?.success_rate == null ? 'unknown' : `${(progress.success_rate * 100).toFixed(1)} %`,
    rate: rate === null ? 'unknown' : `${rate.toFixed(1)}/s`,
    eta: eta === null ? 'unknown' : `${Math.ceil(eta)} s`,
    status: failure ? `failed: ${failure.message}` : (summary?.message ?? status ?? 'not there yet'),
    link: linkWords(link),
  }
}

function linkWords({ state, detail, resumed }) {
  if (state === 'live') return resumed === undefined ? 'live' : 'live again, nothing missed'
  if (state === 'waiting') return `${detail}; coming back`
  return state === 'ended' ? detail : state
}
