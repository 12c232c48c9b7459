/** How cases look, beside what all reports share. */
export const casesStyle = `
.cases{display:grid;gap:8px}
.case>summary{display:flex;flex-wrap:wrap;gap:4px 12px;align-items:baseline}
.case>summary::-webkit-details-marker{display:none}
.case>summary .sums{margin-left:auto;font-size:13px}
.case>summary strong{font-weight:600;min-width:0}
.case[hidden]{display:none}
.inside{padding:2px 16px 16px;border-top:1px solid var(--line)}
h3{font-size:13.5px;font-weight:650;margin:20px 0 6px}h4{font-size:12.5px;color:var(--ink3);font-weight:500;margin:14px 0 4px}
h5{font-size:12px;color:var(--ink3);font-weight:500;margin:6px 0 2px}
.reasons{margin:6px 0;padding-left:20px}
.inside .list{padding:0}
.parts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,150px),1fr));gap:8px 16px;margin:10px 0}
.parts dd{font-size:14px}.parts .quiet{font-size:12.5px}
.attempt+.attempt{border-top:1px solid var(--line);margin-top:18px}
.timeline{list-style:none;margin:0;padding:0;display:grid;gap:2px}
.timeline li{display:grid;grid-template-columns:76px minmax(0,1fr);gap:10px;align-items:baseline}
.when{color:var(--ink3);font-size:12.5px;text-align:right;white-space:nowrap}
.said{font-size:12.5px}
.step{min-width:0;padding-bottom:4px}.step summary{padding:0}.step details pre{border:1px solid var(--line);border-radius:7px}
.step svg{width:100%;height:6px;margin-top:2px;border-radius:3px}
.track{fill:var(--sunken)}svg .failed{fill:var(--bad)}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));gap:0 14px}
.sides>div{min-width:0}
.steps td{width:50%;vertical-align:top;overflow-wrap:anywhere}.steps td.none{background:var(--sunken)}
.steps .note td{border-top:0;padding-top:0;color:var(--ink2);font-size:13px}
.steps{table-layout:fixed;border:1px solid var(--line)}
.fault{color:var(--ink2)}
@media (max-width:640px){.case>summary .sums{margin-left:0;width:100%}.timeline li{grid-template-columns:58px minmax(0,1fr);gap:8px}.inside{padding:2px 12px 12px}}
@media print{.case>summary{list-style:none}}
`

/** What the page does in a browser: cases are found and filtered. Nothing is loaded, and nothing becomes markup. */
export const casesScript = `
const cases = [...document.querySelectorAll('.case')]
const words = document.querySelector('.tools input')
const outcome = document.querySelector('.tools select')
const told = document.querySelector('.told')
if (words && outcome && told) {
  const texts = new Map()
  const textOf = (one) => {
    if (!texts.has(one)) texts.set(one, one.textContent.toLowerCase())
    return texts.get(one)
  }
  const draw = () => {
    const search = words.value.trim().toLowerCase()
    let shown = 0
    for (const one of cases) {
      const fits = (outcome.value === 'all' || one.dataset.outcome === outcome.value) && (search === '' || textOf(one).includes(search))
      one.hidden = !fits
      if (fits) shown++
    }
    told.textContent = shown === cases.length ? shown + ' cases' : shown + ' of ' + cases.length + ' cases'
  }
  words.addEventListener('input', draw)
  outcome.addEventListener('change', draw)
}
`
