// The monitor of all runs.
{
  const { clientWords, clientMessages, clientLink, clientRun } = globalThis
  const { overStatuses, element, count, soon, drawBadge } = clientWords
  const { noteFrame } = clientMessages
  const { openMonitor, server, showLink, showButtons } = clientLink
  const $ = (id) => document.getElementById(id)

  /** Runs that are listed, and that are followed with a live bar: a socket follows no more. */
  const mostRuns = 200
  const mostBars = 100

  let all
  let after
  let asked
  const runs = new Map()
  const bars = new Set()

  function connectAll() {
    const seen = all?.after ?? after
    all?.close()
    all = openMonitor('All runs', $('all-link'), {
      path: '/ws/runs/status',
      after: seen,
      onFrame: hearAll,
      onLink: (link) => {
        showLink($('all-link'), 'All runs', link)
        showButtons('all', link)
        // Subscriptions end with their connection.
        bars.clear()
        if (link.gap) {
          runs.clear()
          $('runs').replaceChildren()
        }
        if (link.state === 'live') {
          for (const one of runs.values()) followBar(one)
          void listRuns()
        }
      },
    })
  }

  function disconnectAll() {
    after = all?.after ?? after
    clearTimeout(asked)
    asked = undefined
    all?.close()
    all = undefined
  }

  /** Runs of before. A page from elsewhere may not read them, unless the server lists its origin: then they come as they change. */
  async function listRuns() {
    const { server: base, token } = server()
    const headers = token ? { authorization: `Bearer ${token}` } : {}
    const answer = await fetch(new URL('/api/v1/runs?limit=50', base), { headers }).catch(() => undefined)
    if (!answer?.ok) return
    const { items } = await answer.json()
    // What came over the socket meanwhile is newer than this answer.
    for (const one of items.reverse()) if (!runs.has(one.run_id)) setRun(one.run_id, { ...one, at: one.updated_at })
  }

  function setRun(runId, { ref, name, status, at, ...numbers }) {
    const one = runs.get(runId) ?? { runId, item: runItem(runId), at: '', completed: 0, totalItems: null }
    Object.assign(one, { ref: ref ?? one.ref, name: name ?? one.name, status })
    setNumbers(one, at, numbers)
    runs.delete(runId)
    runs.set(runId, one)
    if (!one.item.isConnected) $('runs').prepend(one.item)
    for (const [id, oldest] of runs) {
      if (runs.size <= mostRuns) break
      runs.delete(id)
      oldest.item.remove()
    }
    followBar(one)
    soon(drawRuns)
  }

  /** Statuses and progress come each in its own order: what is told later may be of before. */
  function setNumbers(one, at, { total_items: totalItems, completed_items: completed }) {
    if (at < one.at || (at === one.at && completed < one.completed)) return
    Object.assign(one, { at, totalItems: totalItems ?? one.totalItems, completed })
  }

  /** Its progress comes over the same socket. */
  function followBar({ runId, status }) {
    const isOver = overStatuses.includes(status)
    if (isOver && bars.delete(runId)) all?.say({ type: 'unsubscribe', run_id: runId })
    if (isOver || bars.has(runId) || bars.size >= mostBars) return
    bars.add(runId)
    all?.say({ type: 'subscribe', run_id: runId, filter: { events: ['progress'] } })
  }

  function hearAll(frame) {
    const { type, data, run_id: runId } = frame
    if (type === 'initial_stats' || type === 'run_statistics') drawStatistics(data)
    if (type === 'progress' && runs.has(runId)) {
      setNumbers(runs.get(runId), frame.timestamp, data)
      soon(drawRuns)
    }
    if (type === 'refused' && frame.code === 'run_not_found' && runs.has(runId))
      setRun(runId, { status: 'deleted', at: '' })
    if (type !== 'status_update') return
    // Of the run that is followed beside, the other monitor tells.
    if (!clientRun.follows(data.run_id)) noteFrame(frame)
    const isDeleted = data.type === 'run_deleted'
    const status = isDeleted ? 'deleted' : data.run_data.status
    if (data.run_id !== null) setRun(data.run_id, { ...data.run_data, status, at: frame.timestamp })
    else findDeleted()
    asked ??= setTimeout(() => {
      asked = undefined
      all?.say({ type: 'get_run_statistics' })
    }, 250)
  }

  /** Of a run that is gone the server knows the number alone. Those that came with the list have none here: each is asked for. */
  function findDeleted() {
    for (const { runId, ref, status } of runs.values())
      if (ref === undefined && status !== 'deleted') all?.say({ type: 'get_current_status', run_id: runId })
  }

  function drawStatistics({ total_runs: totalRuns, by_status: byStatus }) {
    const pairs = [['Runs', totalRuns], ...Object.entries(byStatus).filter(([, n]) => n > 0)]
    const boxes = pairs.map(([name, n]) => {
      const box = element('div')
      box.append(element('dt', '', name), element('dd', '', count(n)))
      return box
    })
    $('statistics').hidden = false
    $('statistics').replaceChildren(...boxes)
  }

  function runItem(runId) {
    const item = element('li')
    const button = element('button')
    button.type = 'button'
    button.addEventListener('click', () => {
      $('run-id').value = runId
      clientRun.connect()
    })
    const row = element('span', 'row')
    row.append(element('b'), element('span', 'badge'))
    const bar = element('span', 'bar')
    bar.append(element('i'))
    const below = element('span', 'row')
    below.append(element('span', '', runId), element('span'))
    button.append(row, bar, below)
    item.append(button)
    return item
  }

  function drawRuns() {
    $('runs').hidden = runs.size === 0
    $('all-empty').hidden = runs.size > 0
    for (const { runId, name, status, totalItems, completed, item } of runs.values()) {
      const [button] = item.children
      const [row, bar, below] = button.children
      row.firstChild.textContent = name ?? runId
      drawBadge(row.lastChild, status)
      bar.dataset.status = status
      bar.firstChild.style.width = `${totalItems === null ? 0 : totalItems === 0 ? 100 : (completed / totalItems) * 100}%`
      below.lastChild.textContent = `${count(completed)} of ${count(totalItems)}`
    }
  }

  globalThis.clientRuns = { connect: connectAll, disconnect: disconnectAll }
}
