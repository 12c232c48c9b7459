// Numbers, words and pictures that all parts of the web client show alike.
{
  /** What a run is that nothing comes after. */
  const overStatuses = ['completed', 'failed', 'cancelled', 'abandoned', 'deleted']

  /** An element with a text. Whatever comes from a run goes through here or `textContent`: it is never markup. */
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

  const placeOf = ({ item_index: index, case_id: id, repetition }) =>
    `#${index} ${id}${repetition > 1 ? ` (${repetition})` : ''}`

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

  globalThis.clientWords = { overStatuses, element, percent, count, rounded, textOf, placeOf, soon, drawBadge, drawBar }
}
