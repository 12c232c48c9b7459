/**
 * What the report does in a browser: its items are sorted, filtered and opened. Text only ever becomes text (`textContent`), and
 * nothing is loaded. Plain JavaScript, as it stands in the page.
 */
export const pageScript = `
for (const section of document.querySelectorAll('.evaluation')) {
  const holder = section.querySelector('script[type="application/json"]')
  if (!holder) continue
  const { items, metrics } = JSON.parse(holder.textContent)
  const body = section.querySelector('tbody.items')
  const words = section.querySelector('input')
  const status = section.querySelector('select')
  const told = section.querySelector('.told')
  const more = section.querySelector('.more')
  const heads = [...section.querySelectorAll('th[data-by]')]
  const page = 100
  let shown = page
  let order = { by: 'index', up: true }
  const make = (name, text, kind) => {
    const element = document.createElement(name)
    if (text !== undefined) element.textContent = text
    if (kind) element.className = kind
    return element
  }
  const scoreOf = (item, name) => (Object.hasOwn(item.scores, name) ? item.scores[name] : null)
  const value = (item) => {
    if (order.by === 'index') return item.index
    if (order.by === 'case') return item.name
    if (order.by === 'status') return item.failed ? 1 : 0
    if (order.by === 'latency') return item.ms
    return scoreOf(item, order.by.slice(7))?.value ?? null
  }
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)]
    // What is unknown comes last, however it is sorted.
    if (x === null || y === null) return (x === null) - (y === null) || a.index - b.index
    return (x < y ? -1 : x > y ? 1 : 0) * (order.up ? 1 : -1) || a.index - b.index
  }
  const fits = (item, search) =>
    (status.value === 'all' || (status.value === 'failed') === item.failed) &&
    (search === '' || item.search.includes(search))
  for (const item of items)
    item.search = [item.name, item.input, item.expected, item.output, item.error].join('\\n').toLowerCase()
  const block = (title, content, differences) => {
    const box = make('div')
    box.append(make('h3', title))
    const pre = make('pre')
    if (differences) for (const [kind, text] of differences) pre.append(kind === 'same' ? text : make(kind === 'expected' ? 'del' : 'ins', text))
    else pre.textContent = content
    box.append(pre)
    return box
  }
  const detailOf = (item) => {
    const row = make('tr', undefined, 'detail')
    const cell = make('td')
    cell.colSpan = heads.length + 1
    const texts = make('div', undefined, 'texts')
    texts.append(block('Input', item.input ?? 'nothing'))
    if (item.expected !== null) texts.append(block('Expected', item.expected))
    if (item.error !== null) texts.append(block('Error', item.error))
    else texts.append(block('Output', item.output ?? 'null'))
    if (item.differences) texts.append(block('Expected (struck through) against output', '', item.differences))
    const notes = metrics.flatMap((name) => {
      const score = scoreOf(item, name)
      return score?.note ? [name + ': ' + score.note] : []
    })
    if (notes.length > 0) texts.append(block('What evaluators say', notes.join('\\n')))
    cell.append(texts)
    row.append(cell)
    return row
  }
  const rowOf = (item) => {
    const row = make('tr')
    const open = make('button', item.name, 'open')
    open.type = 'button'
    open.setAttribute('aria-expanded', 'false')
    let detail = null
    open.addEventListener('click', () => {
      if (detail) detail.remove()
      detail = detail ? null : detailOf(item)
      if (detail) row.after(detail)
      open.setAttribute('aria-expanded', String(detail !== null))
    })
    const name = make('td')
    name.append(open)
    const state = make('td')
    state.append(make('span', item.failed ? 'failed' : 'answered', 'chip ' + (item.failed ? 'bad' : 'good')))
    row.append(make('td', String(item.index), 'num quiet'), name, state)
    row.append(make('td', item.ms === null ? '-' : Math.round(item.ms) + ' ms', 'num'))
    for (const metric of metrics) row.append(make('td', scoreOf(item, metric)?.text ?? '-', 'num'))
    row.append(make('td', item.error ?? item.output ?? 'null', 'short'))
    return row
  }
  const draw = () => {
    const search = words.value.trim().toLowerCase()
    const found = items.filter((item) => fits(item, search)).sort(compare)
    body.replaceChildren(...found.slice(0, shown).map(rowOf))
    told.textContent = found.length === items.length ? items.length + ' items' : found.length + ' of ' + items.length + ' items'
    more.hidden = found.length <= shown
    for (const head of heads)
      head.setAttribute('aria-sort', head.dataset.by !== order.by ? 'none' : order.up ? 'ascending' : 'descending')
  }
  const anew = () => {
    shown = page
    draw()
  }
  words.addEventListener('input', anew)
  status.addEventListener('change', anew)
  more.addEventListener('click', () => {
    shown += 5 * page
    draw()
  })
  for (const head of heads)
    head.querySelector('button').addEventListener('click', () => {
      order = { by: head.dataset.by, up: order.by === head.dataset.by ? !order.up : true }
      anew()
    })
  draw()
}
`
