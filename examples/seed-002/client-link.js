// How a connection of a monitor is, in words and buttons.
{
  const { openRunSocket, clientMessages } = globalThis
  const { note } = clientMessages
  const $ = (id) => document.getElementById(id)

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
    if (state === 'live')
      note(
        'connection',
        `${name}: ${resumed === undefined ? 'connected' : `resumed after ${resumed}, nothing missed`}.`,
      )
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

  globalThis.clientLink = { openMonitor, server, showLink, showButtons }
}
