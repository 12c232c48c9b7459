import type { RunItem, RunMetricSummary } from '@llm-eval/protocol'
import { gateWords, summaryOf } from '../commands/comparison-words.ts'
import { count, dollars, duration, figure, localTime, percent } from '../display/amounts.ts'
import { distributionOf, whiskersOf } from './charts.ts'
import { differencesOf } from './differences.ts'
import { mostReportedItems, type Reported, textOf } from './gather.ts'
import { jsonIn, pageOf } from './page.ts'
import { pageScript } from './page-script.ts'
import { pageStyle } from './page-style.ts'
import { escaped } from './xml.ts'

/** Evaluations as one page that needs nothing but a browser. All that comes from outside is escaped, and never markup. */
export function htmlOf(all: readonly Reported[], version: string): string {
  return pageOf({
    title: all.map(({ run }) => run.name).join(', '),
    style: pageStyle,
    body: all.map(sectionOf).join('\n'),
    footer: `Made by llm-eval ${version}. Intervals are at 95 %. What is not scored is in no mean.`,
    script: pageScript,
  })
}

const chips: Record<number, [words: string, kind: string]> = {
  0: ['passed', 'good'],
  1: ['failed', 'bad'],
  3: ['cannot tell', 'wait'],
}

function sectionOf(reported: Reported): string {
  const { run, exitCode, verdict, gate, comparison } = reported
  const [words, kind] = chips[exitCode] ?? ['not evaluated', 'bad']
  const reasons = gate?.reasons ?? []
  return `<section class="evaluation">
<div class="head"><h1>${escaped(run.name)}</h1><span class="chip ${kind}">${words}</span></div>
<p class="verdict">${escaped(verdict)}</p>
${factsOf(reported)}
${reasons.length === 0 ? '' : `<h2>Gate</h2><ul class="card list">${reasons.map(reasonOf).join('')}</ul>`}
${comparison === null ? '' : `<h2>Comparison</h2><p>${escaped(summaryOf(comparison))}</p>`}
<h2>Metrics</h2>
${metricsOf(reported)}
${errorsOf(reported)}
<h2>Items</h2>
${itemsOf(reported)}
<h2>Configuration</h2>
${configurationOf(reported)}
</section>`
}

function factsOf({ run }: Reported): string {
  const { completed_items: done, total_items: total, cost, unknown_costs: unknown } = run
  const spent = unknown === 0 ? dollars(cost) : cost === 0 ? 'unknown' : `≥ ${dollars(cost)}`
  const version = run.dataset_version === null ? '' : ` ${run.dataset_version}`
  const facts: [string, string][] = [
    ['Items', total === null || total === done ? count(done) : `${count(done)} of ${count(total)}`],
    ['Without an error', percent(run.success_rate)],
    ['Cost', spent],
    ['Took', run.duration_ms === null ? '-' : duration(run.duration_ms)],
    ['Made', localTime(run.created_at)],
    ['Dataset', `${run.dataset_name}${version}`],
  ]
  const cells = facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${escaped(value)}</dd></div>`).join('')
  return `<dl class="card facts">${cells}<div class="whole"><dt>Run</dt><dd class="mono">${escaped(run.run_id)}</dd></div></dl>`
}

const gateKinds = { pass: 'good', fail: 'bad', cannot_tell: 'wait' } as const

function reasonOf({ outcome, message }: NonNullable<Reported['gate']>['reasons'][number]): string {
  return `<li><span class="chip ${gateKinds[outcome]}">${gateWords[outcome]}</span><span>${escaped(message)}</span></li>`
}

function metricsOf({ metrics, run }: Reported): string {
  const heads = [
    'metric',
    'mean',
    '95 %',
    'mean and quartiles',
    'distribution',
    'scored',
    'passed',
    'skipped',
    'errored',
  ]
  const numbers = new Set(['mean', 'scored', 'passed', 'skipped', 'errored'])
  const head = heads.map((name) => `<th scope="col"${numbers.has(name) ? ' class="num"' : ''}>${name}</th>`).join('')
  return `<div class="card wide"><table><thead><tr>${head}</tr></thead><tbody>${metrics.map((metric) => metricRow(metric, run.completed_items)).join('')}</tbody></table></div>`
}

function metricRow(metric: RunMetricSummary, done: number): string {
  const { name, mean, scored, skipped, errored, pass_rate: rate } = metric
  const number = (text: string) => `<td class="num">${text}</td>`
  const interval = mean === null ? '-' : `${figure(mean.low)} to ${figure(mean.high)}`
  const trouble = errored > 0 ? `<span class="chip bad">${count(errored)}</span>` : '0'
  return `<tr><th scope="row">${escaped(name)}</th>${number(figure(mean?.estimate ?? null))}<td class="num">${interval}</td><td>${whiskersOf(metric)}</td><td>${distributionOf(metric)}</td>${number(percent(done === 0 ? null : scored / done))}${number(percent(rate?.estimate ?? null))}${number(count(skipped))}${number(trouble)}</tr>`
}

function errorsOf({ errors: { items, others } }: Reported): string {
  if (items.length === 0) return ''
  const rows = items.map(({ metric, code, pattern, count: times, examples: [first] }) => {
    const example = first === undefined ? '' : `such as ${first.case_id}`
    return `<tr><td class="num">${count(times)}</td><td>${escaped(metric ?? 'task')}</td><td>${escaped(code)}</td><td class="says">${escaped(pattern)} <span class="quiet">${escaped(example)}</span></td></tr>`
  })
  const more = others > 0 ? `<p class="quiet">and ${count(others)} more of other kinds</p>` : ''
  return `<h2>Errors</h2><div class="card wide"><table><thead><tr><th scope="col" class="num">times</th><th scope="col">of</th><th scope="col">error</th><th scope="col">what it says</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>${more}`
}

/** Metrics with a column of their own. */
const shownMetrics = 8

function itemsOf({ items, run, metrics }: Reported): string {
  const names = metrics.slice(0, shownMetrics).map(({ name }) => name)
  const untold = run.completed_items - items.length
  const cut =
    untold > 0
      ? `<p class="quiet">This report holds ${count(items.length)} items, those that failed first: ${count(untold)} of ${count(run.completed_items)} are not in it. A report holds at most ${count(mostReportedItems)}.</p>`
      : ''
  if (items.length === 0) return '<p class="quiet">No item is finished.</p>'
  const sorted = (by: string, title: string, kind = '') =>
    `<th scope="col"${kind} data-by="${escaped(by)}" aria-sort="none"><button type="button">${escaped(title)}</button></th>`
  const heads = [
    sorted('index', 'item', ' class="num"'),
    sorted('case', 'case'),
    sorted('status', 'status'),
    sorted('latency', 'latency', ' class="num"'),
    ...names.map((name) => sorted(`metric:${name}`, name, ' class="num"')),
    '<th scope="col">output</th>',
  ]
  return `${cut}<div class="tools"><input type="search" aria-label="Find items" placeholder="Find in cases, inputs, outputs and errors"><select aria-label="Status"><option value="all">all items</option><option value="failed">failed</option><option value="answered">answered</option></select><span class="told quiet" role="status"></span></div>
<div class="card wide"><table><thead><tr>${heads.join('')}</tr></thead><tbody class="items"></tbody></table></div>
<p><button type="button" class="more" hidden>Show more</button></p>
<noscript><p>Items are shown where scripts may run.</p></noscript>
<script type="application/json">${jsonIn({ metrics: names, items: items.map((item) => shownItem(item)) })}</script>`
}

function shownItem(item: RunItem): object {
  const { expected, output, error } = item
  const [wanted, came] = [textOrNull(expected), textOrNull(output)]
  const scores = Object.entries(item.scores).map(([name, { outcome, value, passed, explanation, label, fault }]) => {
    const verdict = passed === null ? '-' : passed ? 'passed' : 'failed'
    const text = outcome !== 'scored' ? outcome : value === null ? verdict : figure(value)
    const notes = [label, fault, explanation].filter((note) => note !== null)
    return [name, { value, text, note: notes.join(' · ') }] as const
  })
  return {
    index: item.item_index,
    name: item.repetition > 1 ? `${item.case_id} (${item.repetition})` : item.case_id,
    failed: item.status === 'failed',
    ms: item.response_time_ms,
    input: textOrNull(item.input),
    expected: wanted,
    output: came,
    error: error === null ? null : `${error.code}: ${error.message}`,
    differences: wanted === null || came === null || error !== null ? null : differencesOf(wanted, came),
    scores: Object.fromEntries(scores),
  }
}

function textOrNull(value: unknown): string | null {
  return value === null ? null : textOf(value)
}

function configurationOf({ run }: Reported): string {
  const {
    settings,
    metrics_used: metrics,
    tags,
    metadata,
    config,
    model_name,
    model_version,
    task_type,
    environment,
    description,
  } = run
  const shown = {
    description,
    metrics,
    settings,
    config,
    tags,
    metadata,
    model_name,
    model_version,
    task_type,
    environment,
  }
  return `<details class="card"><summary>Metrics, settings and what the run was given</summary><pre>${escaped(JSON.stringify(shown, null, 2))}</pre></details>`
}
