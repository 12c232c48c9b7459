// The monitor of one run.
{
  const { runState, clientWords, clientMessages, clientLink } = globalThis
  const { overStatuses, element, percent, count, rounded, placeOf, soon, drawBadge, drawBar } = clientWords
  const { noteFrame } = clientMessages
  const { openMonitor, showLink, showButtons } = clientLink
  const $ = (id) => document.getElementById(id)

  let run
  let state = runState.unknown('')
  let failures = 0

  function connectRun() {
    const runId = $('run-id').value.trim()
    if (runId === '') return
    // Another key for the same run, or another filter: go on after what was seen.
    const after = state.runId === runId ? (run?.after ?? state.after) : undefined
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
    const some = failed === state.errors.length ? '' : `, ${count(state.errors.length)} of them shown`
    $('error-count').textContent = failed === 0 ? '' : `${count(failed)}${some}`
    drawOutcome()
    drawMetrics(Object.entries(progress?.metrics ?? {}))
  }

  const duration = (seconds) => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`)
  const costOf = (progress) => {
    if (!progress || progress.completed_items === progress.unknown_costs) return 'unknown'
    return `$${rounded(progress.cost)}${progress.unknown_costs > 0 ? ` + ${count(progress.unknown_costs)} unknown` : ''}`
  }

  function drawOutcome() {
    const { status, summary, failure, progress } = state
    $('outcome').hidden = !overStatuses.includes(status)
    $('outcome').dataset.status = status ?? ''
    const counted = progress
      ? `${count(progress.completed_items)} items, success rate ${percent(progress.success_rate)}`
      : ''
    const words = {
      completed: summary
        ? `${summary.message}: ${counted}, ${rounded(summary.execution_time)} s.`
        : `Completed: ${counted}.`,
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

  globalThis.clientRun = {
    connect: connectRun,
    disconnect: disconnectRun,
    /** Whether this run is followed here. */
    follows: (runId) => run !== undefined && state.runId === runId,
    /** Another filter of the server: goes on after what was seen. */
    filter: () => {
      if (run) connectRun()
    },
  }
}
