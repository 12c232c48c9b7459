// Two monitors on one page: the progress of one run, and the status of all. These scripts are classic ones, in the order of the
// page, so that it can be opened from disk: run-socket.js and run-state.js know nothing of it, client-*.js are its parts.
{
  const { clientRun, clientRuns } = globalThis
  const $ = (id) => document.getElementById(id)

  $('run-form').addEventListener('submit', (event) => {
    event.preventDefault()
    clientRun.connect()
  })
  $('run-disconnect').addEventListener('click', clientRun.disconnect)
  $('server-filter').addEventListener('change', () => {
    $('below').hidden = $('server-filter').value !== 'below'
    clientRun.filter()
  })
  for (const id of ['below-metric', 'below-value']) $(id).addEventListener('change', clientRun.filter)
  $('all-connect').addEventListener('click', clientRuns.connect)
  $('all-disconnect').addEventListener('click', clientRuns.disconnect)
  $('from-disk').hidden = location.protocol !== 'file:'
  const given = new URLSearchParams(location.search)
  $('server').value = given.get('server') ?? $('server').value
  $('run-id').value = given.get('run') ?? ''
}
