// What the frames of a run add up to: where it stands, how fast it goes, what went wrong. No page, no connection, no clock: times are
// those of the frames. A classic script, as run-socket.js is.
{
  /** Errors that are kept to be shown; all of them are counted. */
  const mostErrors = 50
  /** Milliseconds over which the rate is taken, and changes at least, where items take longer than that. */
  const rateSpan = 10_000
  const rateChanges = 5

  globalThis.runState = {
    /** Nothing is known yet. Unknown is null, never 0. */
    unknown(runId) {
      return {
        runId,
        status: null,
        progress: null,
        rate: null,
        eta: null,
        errors: [],
        summary: null,
        failure: null,
        samples: [],
      }
    },

    /** The state after a frame; `state` itself stays as it is. */
    after(state, frame) {
      switch (frame.type) {
        case 'connected':
        case 'subscribed':
          return { ...state, status: frame.run_status === 'unknown' ? state.status : frame.run_status }
        case 'resync_required':
          // The server no longer knows what came after our place: what was counted here may miss something.
          return { ...state, errors: [], samples: [] }
        case 'progress':
          return withProgress(state, frame)
        case 'error': {
          const { item_index, case_id, error, message } = frame.data
          const errors = [{ at: frame.timestamp, item_index, case_id, error, message }, ...state.errors]
          return { ...state, errors: errors.slice(0, mostErrors) }
        }
        case 'status_update': {
          const { run_data, error_data } = frame.data
          const isDeleted = frame.data.type === 'run_deleted'
          return {
            ...state,
            status: isDeleted ? 'deleted' : run_data.status,
            failure: error_data ?? null,
            ...(isOver(run_data.status) ? { eta: null } : {}),
          }
        }
        case 'completed':
          return { ...state, status: 'completed', summary: frame.data, eta: null }
        default:
          return state
      }
    },
  }

  function withProgress(state, { data, timestamp }) {
    const at = Date.parse(timestamp)
    const completed = data.completed_items
    const earlier = state.samples.filter((one) => one.at < at && one.completed <= completed)
    const recent = earlier.findIndex((one) => one.at >= at - rateSpan)
    const begin = Math.min(recent < 0 ? earlier.length : recent, Math.max(0, earlier.length - rateChanges))
    const samples = [...earlier.slice(begin), { at, completed }]
    const [first] = samples
    const rate = at > first.at ? ((completed - first.completed) * 1_000) / (at - first.at) : null
    const rest = data.total_items === null ? null : data.total_items - completed
    const eta = rest === null || rest === 0 || !rate || isOver(state.status) ? null : rest / rate
    return { ...state, progress: data, samples, rate, eta }
  }

  function isOver(status) {
    return ['completed', 'failed', 'cancelled', 'abandoned', 'deleted'].includes(status)
  }
}
