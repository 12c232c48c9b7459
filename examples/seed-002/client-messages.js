// The list of messages: what came over both connections, and what became of these.
{
  const { element, percent, count, rounded, textOf, placeOf, soon } = globalThis.clientWords
  const $ = (id) => document.getElementById(id)

  /** Messages that are kept and shown; the oldest leave. */
  const mostMessages = 300
  const kinds = ['connection', 'progress', 'result', 'error', 'completed', 'status_update']

  const clock = new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
  })

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

  /** What frames say, each in one line; of those that are not here, nothing. */
  const lines = {
    progress: ({ run_id: id, data }) =>
      `${id}: ${count(data.completed_items)} of ${count(data.total_items)}, success rate ${percent(data.success_rate)}`,
    result: ({ data }) => `${placeOf(data)} → ${textOf(data.output)}${scoresOf(data)}${secondsOf(data)}`,
    error: ({ data }) => `${placeOf(data)}: ${data.error}: ${data.message}${secondsOf(data)}`,
    completed: ({ run_id: id, data }) =>
      `${id}: ${data.message}, ${count(data.completed_items)} items in ${rounded(data.execution_time)} s`,
    status_update: ({ data }) =>
      `${data.run_id ?? `run ${data.run_data.ref}`}: ${data.type}${data.error_data ? `: ${data.error_data.message}` : ''}`,
    refused: ({ error }) => `Refused: ${error}`,
    resync_required: ({ data }) => `What happened while the connection was lost is not known here (${data.reason}).`,
  }

  function noteFrame(frame) {
    const line = lines[frame.type]?.(frame)
    if (line === undefined) return
    const failed = ['error', 'refused', 'resync_required'].includes(frame.type) || frame.data.type === 'run_failed'
    note(kinds.includes(frame.type) ? frame.type : 'connection', line, { at: frame.timestamp, failed })
  }

  const secondsOf = ({ execution_time: seconds }) => (seconds === null ? '' : ` · ${rounded(seconds)} s`)
  const scoresOf = ({ scores }) =>
    Object.entries(scores)
      .map(([name, value]) => ` · ${name} ${rounded(value)}`)
      .join('')

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

  globalThis.clientMessages = { note, noteFrame }
}
