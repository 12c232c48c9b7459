// Two monitors on one page: the progress of one run, and the status of all. Whatever comes from a run is shown as text, never as markup.
{
  const { openRunSocket, runState } = globalThis
  const $ = (id) => document.getElementById(id)

  /** Messages that are kept and shown; the oldest leave. */
  const mostMessages = 300
  /** Runs that are listed, and that are followed with a live bar: a socket follows no more. */
  const mostRuns = 200
  const mostBars = 100
  const kinds = ['connection', 'progress', 'result', 'error', 'completed', 'status_update']
  const overStatuses = ['completed', 'failed', 'cancelled', 'abandoned', 'deleted']

  const element = (tag, className, text) => {
    const made = document.createElement(tag)
    if (className) made.className = className
    if (text !== undefined) made.textContent = text
    return made
  }
  const percent = (share) => (share === null || share === undefined ? 'unknown' : `${(share * 100).toFixed(1)} %`)
  const count = (n) => (n === null || n === undefined ? 'unknown' : n.toLocaleString('en'))
  const rounded = (value) => (value === null || value === undefined ? 'unknown' : String(Number(value.toPrecision(3))))
  const textOf = (value) => (typeof value === 'string' ? value : JSON.stringify(value))

  const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 })

  // Frames may come faster than anybody can look: what they change is drawn once for each picture.
  const due = new Set()
  const soon = (draw) => {
    if (due.size === 0)
      requestAnimationFrame(() => {
        const draws = [...due]
        due.clear()
        for (const one of draws) one()
      })
    due.add(draw)
  }

  // Messages

  const messages = []
  const waiting = []
  let total = 0
  const shown = new Set(kinds.filter((kind) => kind !== 'progress'))

  function note(kind, text, { failed = false, at = new Date().toISOString() } = {}) {
    total++
    const message = { kind, text, failed, at }
    messages.unshift(message)
    messages.splice(mostMessages)
    waiting.push(message)
    waiting.splice(0, waiting.length - mostMessages)
    soon(drawMessages)
  }

  const fits = ({ kind, failed }) => shown.has(kind) && (failed || !$('failed-only').checked)

  function messageItem({ kind, text, failed, at }) {
    const item = element('li')
    item.dataset.kind = kind
    if (failed) item.dataset.failed = ''
    const time = element('time', '', clock.format(new Date(at)))
    time.dateTime = at
    item.append(time, element('span', 'kind', kind), element('span', 'text', text))
    return item
  }

  function drawMessages() {
    const list = $('messages')
    if (!$('paused').checked) {
      const news = waiting.splice(0).filter(fits).map(messageItem).reverse()
      list.prepend(...news)
      while (list.children.length > mostMessages) list.lastChild.remove()
    }
    const late = $('paused').checked ? `, ${waiting.length} wait` : ''
    const kept = total > mostMessages ? `, the last ${count(mostMessages)} kept` : ''
    $('message-count').textContent = total === 0 ? '' : `${count(total)} received${kept}${late}`
    $('no-messages').hidden = list.children.length > 0
    $('no-messages').textContent = total === 0 ? 'No messages yet.' : 'No message that fits.'
  }

  function drawAllMessages() {
    waiting.length = 0
    $('messages').replaceChildren(...messages.filter(fits).map(messageItem))
    drawMessages()
  }

  function noteFrame(frame) {
    const { type, data, run_id: runId, timestamp: at } = frame
    if (type === 'progress') note(type, `${runId}: ${count(data.completed_items)} of ${count(data.total_items)}, success rate ${percent(data.success_rate)}`, { at })
    if (type === 'result') note(type, `${placeOf(data)} → ${textOf(data.output)}${scoresOf(data)}${secondsOf(data)}`, { at })
    if (type === 'error') note(type, `${placeOf(data)}: ${data.error}: ${data.message}${secondsOf(data)}`, { at, failed: true })
    if (type === 'completed') note(type, `${runId}: ${data.message}, ${count(data.completed_items)} items in ${rounded(data.execution_time)} s`, { at })
    if (type === 'status_update') note(type, `${data.run_id ?? `run ${data.run_data.ref}`}: ${data.type}${data.error_data ? `: ${data.error_data.message}` : ''}`, { at, failed: data.type === 'run_failed' })
    if (type === 'refused') note('connection', `Refused: ${frame.error}`, { at, failed: true })
    if (type === 'resync_required') note('connection', `What happened while the connection was lost is not known here (${data.reason}).`, { at, failed: true })
  }

  const placeOf = ({ item_index: index, case_id: id, repetition }) => `#${index} ${id}${repetition > 1 ? ` (${repetition})` : ''}`
  const secondsOf = ({ execution_time: seconds }) => (seconds === null ? '' : ` · ${rounded(seconds)} s`)
  const scoresOf = ({ scores }) => Object.entries(scores).map(([name, value]) => ` · ${name} ${rounded(value)}`).join('')

  // How a connection is

  function showLink(pill, name, link) {
    const { state, detail, resumed, gap, opened } = link
    const words = {
      connecting: 'connecting…',
      live: resumed === undefined ? 'live' : 'live, resumed without a gap',
      waiting: `${opened ? detail : `cannot connect to ${$('server').value}`}; coming back…`,
      ended: detail,
      closed: 'not connected',
    }
    pill.dataset.state = state
    pill.textContent = gap ? 'live, after a gap' : words[state]
    if (state === 'live') note('connection', `${name}: ${resumed === undefined ? 'connected' : `resumed after ${resumed}, nothing missed`}.`)
    if (state === 'waiting') note('connection', `${name}: ${words.waiting}`, { failed: true })
    if (state === 'ended') note('connection', `${name}: ${detail}`, { failed: true })
    if (state === 'closed') note('connection', `${name}: disconnected.`)
  }

  function showButtons(monitor, { state }) {
    const isOpen = state !== 'closed' && state !== 'ended'
    $(`${monitor}-connect`).classList.toggle('primary', !isOpen)
    $(`${monitor}-disconnect`).disabled = !isOpen
  }

  const server = () => ({ server: $('server').value.trim() || 'http://localhost:8000', token: $('token').value.trim() })

  function openMonitor(name, pill, options) {
    try {
      return openRunSocket({ ...server(), ...options })
    } catch {
      showLink(pill, name, { state: 'ended', detail: `${$('server').value} is no address of a server.` })
      return undefined
    }
  }

  // Progress of a run

  let run
  let state = runState.unknown('')
  let failures = 0

  function connectRun() {
    const runId = $('run-id').value.trim()
    if (runId === '') return
    // Another key for the same run, or another filter: go on after what was seen.
    const after = state.runId === runId ? run?.after ?? state.after : undefined
    run?.close()
    if (state.runId !== runId) {
      state = runState.unknown(runId)
      failures = 0
      $('errors').replaceChildren()
    }
    const filter = serverFilter()
    const path = filter ? '/ws' : `/ws/runs/${encodeURIComponent(runId)}/progress`
    run = openMonitor(runId, $('run-link'), {
      path,
      after,
      ...(filter ? { subscribe: { run_id: runId, filter } } : {}),
      onFrame: hearRun,
      onLink: (link) => {
        showLink($('run-link'), runId, link)
        if (link.state === 'live') state = { ...state, isReached: true }
        showButtons('run', link)
        soon(drawRun)
      },
    })
    $('run').hidden = false
    $('run-empty').hidden = true
    soon(drawRun)
  }

  function disconnectRun() {
    state = { ...state, after: run?.after }
    run?.close()
    run = undefined
  }

  function serverFilter() {
    const kind = $('server-filter').value
    if (kind === 'failed') return { failed: true }
    const metric = $('below-metric').value.trim()
    const value = $('below-value').valueAsNumber
    return kind === 'below' && metric !== '' && !Number.isNaN(value) ? { below: { metric, value } } : undefined
  }

  function hearRun(frame) {
    state = runState.after(state, frame)
    if (frame.type === 'error') {
      failures++
      $('errors').prepend(errorItem(frame.data))
      while ($('errors').children.length > state.errors.length) $('errors').lastChild.remove()
    }
    noteFrame(frame)
    soon(drawRun)
  }

  function errorItem(data) {
    const item = element('li')
    item.append(element('b', '', data.error), ` ${placeOf(data)}: ${data.message}`)
    return item
  }

  function drawRun() {
    const { progress, status, rate, eta } = state
    const totalItems = progress?.total_items ?? null
    const share = totalItems === null ? null : totalItems === 0 ? 1 : progress.completed_items / totalItems
    $('percent').textContent = share === null ? '–' : `${Math.floor(share * 100)} %`
    const nothing = state.isReached ? 'no run of this id yet' : 'nothing is known yet'
    $('counted').textContent = progress ? `${count(progress.completed_items)} of ${count(totalItems)} items` : nothing
    drawBadge($('status'), status)
    drawBar($('bar'), share, status)
    const numbers = {
      total: count(totalItems),
      completed: count(progress?.completed_items),
      successful: count(progress?.successful_items),
      'success-rate': percent(progress?.success_rate),
      rate: rate === null ? 'unknown' : `${rounded(rate)}/s`,
      eta: overStatuses.includes(status) ? 'over' : eta === null ? 'unknown' : duration(eta),
      cost: costOf(progress),
    }
    for (const [id, text] of Object.entries(numbers)) {
      $(id).textContent = text
      $(id).classList.toggle('unknown', text === 'unknown')
    }
    // Also those of before this page looked.
    const failed = Math.max(failures, progress ? progress.completed_items - progress.successful_items : 0)
    $('error-count').textContent = failed === 0 ? '' : failed === state.errors.length ? count(failed) : `${count(failed)}, ${count(state.errors.length)} of them shown`
    drawOutcome()
    drawMetrics(Object.entries(progress?.metrics ?? {}))
  }

  const duration = (seconds) => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`)
  const costOf = (progress) => {
    if (!progress || progress.completed_items === progress.unknown_costs) return 'unknown'
    return `$${rounded(progress.cost)}${progress.unknown_costs > 0 ? ` + ${count(progress.unknown_costs)} unknown` : ''}`
  }

  function drawBadge(badge, status) {
    badge.hidden = status === null
    badge.textContent = status ?? ''
    badge.dataset.status = status ?? ''
  }

  function drawBar(bar, share, status) {
    bar.dataset.status = status ?? ''
    bar.firstElementChild.style.width = `${(share ?? 0) * 100}%`
    if (share === null) bar.removeAttribute('aria-valuenow')
    else bar.setAttribute('aria-valuenow', String(Math.floor(share * 100)))
  }

  function drawOutcome() {
    const { status, summary, failure, progress } = state
    $('outcome').hidden = !overStatuses.includes(status)
    $('outcome').dataset.status = status ?? ''
    const counted = progress ? `${count(progress.completed_items)} items, success rate ${percent(progress.success_rate)}` : ''
    const words = {
      completed: summary ? `${summary.message}: ${counted}, ${rounded(summary.execution_time)} s.` : `Completed: ${counted}.`,
      failed: `Failed: ${failure?.message ?? 'nobody knows why'}. ${counted} are kept.`,
      cancelled: `Cancelled. What is finished is kept: ${counted}.`,
      abandoned: `Abandoned: its worker was not heard of again. What is finished is kept: ${counted}.`,
      deleted: 'The run was deleted.',
    }
    $('outcome').textContent = words[status] ?? ''
  }

  function drawMetrics(metrics) {
    const rows = metrics.map(([name, { mean, ci, n, skipped, errored }]) => {
      const row = element('tr')
      const head = element('th', '', name)
      head.scope = 'row'
      const left = skipped + errored === 0 ? '' : ` of ${n + skipped + errored}`
      const picture = element('td', 'whisker')
      if (mean !== null && mean >= 0 && mean <= 1) picture.append(whisker(mean, ci))
      const value = element('td', 'n', rounded(mean))
      if (ci !== null) value.append(element('small', '', `${rounded(ci[0])} to ${rounded(ci[1])}`))
      row.append(head, value, picture, element('td', 'n', `${count(n)}${left}`))
      return row
    })
    if (rows.length === 0) {
      const row = element('tr')
      const cell = element('td', 'none', 'No metric yet.')
      cell.colSpan = 4
      row.append(cell)
      rows.push(row)
    }
    $('metrics').tBodies[0].replaceChildren(...rows)
  }

  function whisker(mean, ci) {
    const svg = (tag, attributes) => {
      const made = document.createElementNS('http://www.w3.org/2000/svg', tag)
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
      return made
    }
    const at = (value) => `${Math.min(Math.max(value, 0), 1) * 100}%`
    const picture = svg('svg', { 'aria-hidden': 'true', height: 16 })
    picture.append(svg('line', { class: 'axis', x1: '0%', x2: '100%', y1: 8, y2: 8 }))
    if (ci) picture.append(svg('line', { class: 'interval', x1: at(ci[0]), x2: at(ci[1]), y1: 8, y2: 8 }))
    picture.append(svg('circle', { class: 'mean', cx: at(mean), cy: 8, r: 4 }))
    return picture
  }

  // Status of all runs

  let all
  let asked
  const runs = new Map()
  const bars = new Set()

  function connectAll() {
    all?.close()
    all = openMonitor('All runs', $('all-link'), {
      path: '/ws/runs/status',
      after: connectAll.after,
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
    connectAll.after = all?.after
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
    if (type === 'refused' && frame.code === 'run_not_found' && runs.has(runId)) setRun(runId, { status: 'deleted', at: '' })
    if (type !== 'status_update') return
    // Of the run that is followed beside, the other monitor tells.
    if (!run || data.run_id !== state.runId) noteFrame(frame)
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
      connectRun()
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

  // The page

  for (const kind of kinds) {
    const label = element('label')
    const box = element('input')
    box.type = 'checkbox'
    box.checked = shown.has(kind)
    box.addEventListener('change', () => {
      if (box.checked) shown.add(kind)
      else shown.delete(kind)
      drawAllMessages()
    })
    label.append(box, kind)
    $('kinds').append(label)
  }
  $('failed-only').addEventListener('change', drawAllMessages)
  $('paused').addEventListener('change', () => drawMessages())
  $('clear').addEventListener('click', () => {
    messages.length = 0
    total = 0
    drawAllMessages()
  })
  $('run-form').addEventListener('submit', (event) => {
    event.preventDefault()
    connectRun()
  })
  $('run-disconnect').addEventListener('click', disconnectRun)
  $('server-filter').addEventListener('change', () => {
    $('below').hidden = $('server-filter').value !== 'below'
    if (run) connectRun()
  })
  for (const id of ['below-metric', 'below-value']) $(id).addEventListener('change', () => run && connectRun())
  $('all-connect').addEventListener('click', connectAll)
  $('all-disconnect').addEventListener('click', disconnectAll)
  $('from-disk').hidden = location.protocol !== 'file:'
  const given = new URLSearchParams(location.search)
  $('server').value = given.get('server') ?? $('server').value
  $('run-id').value = given.get('run') ?? ''
}
