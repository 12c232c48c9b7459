import type { AttemptResult, Baseline, CheckResult, ToolStep } from '@llm-eval/protocol'
import { count, dollars, duration, figure, localTime, percent } from '../display/amounts.ts'
import { differencesOf } from '../reports/differences.ts'
import { cutText, textOf } from '../reports/gather.ts'
import { pageOf } from '../reports/page.ts'
import { pageStyle } from '../reports/page-style.ts'
import { escaped } from '../reports/xml.ts'
import { attemptOf } from './html-attempt.ts'
import { casesScript, casesStyle } from './html-look.ts'
import { meanOf, scoreOf } from './reasons.ts'
import { type SuiteReport, isChanged, type ReportedCase } from './report.ts'
import { problemLine } from './suite.ts'

/** Cases that the page holds, those that did not pass first; and characters of HTML that are spent on what was seen of them. */
const mostCases = 2_000
const mostChars = 20_000_000
const mostAttempts = 5
const mostSteps = 200
const answerChars = 4_000

const chips = { 0: 'good', 1: 'bad', 2: 'wait' } as const
const kinds = { pass: 'good', fail: 'bad', cannot_tell: 'wait', skip: 'wait' } as const

/** What was found as one page that needs nothing but a browser. All that comes from outside is escaped, and never markup. */
export function agentHtml(report: SuiteReport, version: string): string {
  const { suite, exitCode, verdict, headline, next, command } = report
  const body = `<section>
<div class="head"><h1>${escaped(suite)}</h1><span class="chip ${chips[exitCode]}">${escaped(verdict)}</span></div>
<p class="verdict">${escaped(headline)}</p>
${factsOf(report)}
${next === null ? '' : `<p>Next: <code>${escaped(next)}</code></p>`}
${problemsOf(report)}
<h2>Cases</h2>
${casesOf(report)}
</section>`
  return pageOf({
    title: `${suite}: ${verdict}`,
    style: `${pageStyle}${casesStyle}`,
    body,
    footer: `Made by llm-eval ${command}, ${version}. What an agent does not show is unknown, and never zero.`,
    script: casesScript,
  })
}

function factsOf({ cases, unasked, at }: SuiteReport): string {
  const attempts = cases.flatMap(({ result }) => result.attempts)
  const green = cases.filter(({ outcome }) => outcome === 'pass').length
  const cost = attempts.reduce((sum, { trace }) => sum + (trace.cost ?? 0), 0)
  const unknown = attempts.filter(({ trace }) => trace.cost === null).length
  const spent = unknown === 0 ? dollars(cost) : cost === 0 ? 'unknown' : `≥ ${dollars(cost)}`
  const facts: [string, string][] = [
    ['Cases', unasked === 0 ? count(cases.length) : `${count(cases.length)} of ${count(cases.length + unasked)}`],
    ['Green', cases.length === 0 ? '-' : percent(green / cases.length)],
    ['Attempts', count(attempts.length)],
    ['Cost', spent],
    ['Made', localTime(at)],
  ]
  return `<dl class="card facts">${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl>`
}

function problemsOf({ problems }: SuiteReport): string {
  if (problems.length === 0) return ''
  const rows = problems.slice(0, 200).map((problem) => {
    const kind = problem.level === 'error' ? 'bad' : 'wait'
    return `<li><span class="chip ${kind}">${problem.level}</span><span>${escaped(problemLine(problem))}</span></li>`
  })
  const more = problems.length > 200 ? `<li class="quiet">and ${count(problems.length - 200)} more</li>` : ''
  return `<h2>Files</h2><ul class="card list">${rows.join('')}${more}</ul>`
}

function casesOf({ cases }: SuiteReport): string {
  if (cases.length === 0) return '<p class="quiet">No case was asked.</p>'
  const told = cases.slice(0, mostCases)
  const budget = { chars: mostChars }
  const untold = cases.length - told.length
  const rows = told.map((one) => caseOf(one, budget))
  const cut =
    untold === 0
      ? ''
      : `<p class="quiet">This report holds ${count(told.length)} cases, those that did not pass first: ${count(untold)} of ${count(cases.length)} are not in it.</p>`
  return `${cut}<div class="tools"><input type="search" aria-label="Find cases" placeholder="Find in names, answers and tools"><select aria-label="Outcome"><option value="all">all cases</option><option value="bad">not green</option><option value="pass">green</option></select><span class="told quiet" role="status">${count(told.length)} cases</span></div>
<div class="cases">${rows.join('\n')}</div>`
}

function caseOf(one: ReportedCase, budget: { chars: number }): string {
  const { name, place, outcome, state, reasons, result, check } = one
  const { attempts } = result
  const time = meanOf(attempts.map(({ trace }) => trace.latency_ms))
  const passed = attempts.filter((attempt) => attempt.outcome === 'passed').length
  const sums = [
    `score ${figure(scoreOf(result))}`,
    ...(attempts.length > 1 ? [`${passed}/${attempts.length} passed${result.repeated?.flaky ? ', flaky' : ''}`] : []),
    dollars(meanOf(attempts.map(({ trace }) => trace.cost))),
    time === null ? '-' : duration(time),
  ]
  const bad = outcome === 'pass' ? 'pass' : 'bad'
  const head = `<summary><span class="chip ${isChanged(one) ? 'wait' : kinds[outcome]}">${escaped(state)}</span><strong>${escaped(name)}</strong><span class="quiet sums">${escaped(sums.join(' · '))}</span></summary>`
  const why =
    reasons.length === 0
      ? ''
      : `<ul class="reasons">${reasons
          .slice(0, 20)
          .map((reason) => `<li>${escaped(cutText(reason, 1_000))}</li>`)
          .join('')}</ul>`
  const parts =
    budget.chars <= 0
      ? '<p class="quiet">What was seen of it is left out: this report is full.</p>'
      : `${check === null ? '' : againstOf(check, one.baseline)}${attemptsOf(attempts)}`
  budget.chars -= parts.length
  // What went wrong is open when the page is.
  const open = outcome === 'fail' && attempts.length > 0 ? ' open' : ''
  return `<details class="card case" data-outcome="${bad}"${open}>${head}<div class="inside"><p class="quiet">${escaped(place)}</p>${why}${parts}</div></details>`
}

/** The attempts that did not pass come first; of those that did, one says enough. */
function attemptsOf(attempts: readonly AttemptResult[]): string {
  const numbered = attempts.map((attempt, index) => ({ attempt, number: index + 1 }))
  const bad = numbered.filter(({ attempt }) => attempt.outcome !== 'passed')
  const good = numbered.filter(({ attempt }) => attempt.outcome === 'passed')
  const told = [...bad, ...good].slice(0, mostAttempts)
  const untold = attempts.length - told.length
  const title = (number: number) => (attempts.length === 1 ? '' : `Attempt ${number} of ${attempts.length}`)
  const more = untold === 0 ? '' : `<p class="quiet">${count(untold)} more attempts are not in this report.</p>`
  return `${told.map(({ attempt, number }) => attemptOf(attempt, title(number))).join('')}${more}`
}

/** Before and now, beside each other. */
function againstOf(check: CheckResult, baseline: Baseline | null): string {
  const before = baseline?.attempts[check.shown?.accepted ?? 0]?.trace
  if (!baseline || !before) return ''
  const now = check.result.attempts[check.shown?.attempt ?? 0]?.trace
  const by = baseline.accepted_by === null ? '' : ` by ${baseline.accepted_by}`
  const accepted = `${baseline.variant}, accepted ${localTime(baseline.accepted_at)}${by}${baseline.note === null ? '' : `: ${baseline.note}`}`
  const rows = check.steps.slice(0, mostSteps).map((step) => stepRow(step, { before, now }))
  const untold = check.steps.length - rows.length
  const tools =
    check.steps.length === 0
      ? '<p class="quiet">No tools were called, then or now.</p>'
      : `<div class="wide"><table class="steps"><thead><tr><th scope="col">accepted</th><th scope="col">now</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>${untold > 0 ? `<p class="quiet">and ${count(untold)} more calls</p>` : ''}`
  return `<h3>Against what was accepted</h3><p class="quiet">${escaped(accepted)}</p>
<p>${escaped(changesOf(check))}</p>
${tools}
${answersOf(textOfAnswers(before), now ? textOfAnswers(now) : '')}`
}

function changesOf({ score, cost, latency, model, output_similarity: alike }: CheckResult): string {
  const change = (name: string, { before, after }: CheckResult['score'], text: (value: number | null) => string) =>
    before === null && after === null ? [] : [`${name} ${text(before)} → ${text(after)}`]
  return [
    ...change('score', score, figure),
    ...change('cost', cost, dollars),
    ...change('time', latency, (ms) => (ms === null ? '-' : duration(ms))),
    ...(alike === null ? [] : [`answers ${percent(alike)} alike`]),
    ...(model.before === model.after ? [] : [`model ${model.before ?? 'unknown'} → ${model.after ?? 'unknown'}`]),
  ].join(' · ')
}

interface Sides {
  before: AttemptResult['trace']
  now: AttemptResult['trace'] | undefined
}

const stepWords: Record<ToolStep['kind'], string> = {
  same: '',
  arguments: 'other arguments',
  moved: 'moved',
  added: 'added',
  removed: 'gone',
}

function stepRow({ kind, before, after, differences }: ToolStep, sides: Sides): string {
  const cell = (trace: Sides['now'], index: number | null, tag: 'del' | 'ins') => {
    const call = index === null ? undefined : trace?.tool_calls[index]
    if (!call) return '<td class="none"></td>'
    const args = call.args === null ? '' : ` <code>${escaped(cutText(JSON.stringify(call.args) ?? '', 400))}</code>`
    const alone = kind === 'added' || kind === 'removed'
    const name = alone ? `<${tag}>${escaped(call.name)}</${tag}>` : escaped(call.name)
    return `<td>${(index ?? 0) + 1}. ${name}${args}</td>`
  }
  const told = differences.slice(0, 5).map(({ path, before: was, after: is }) => {
    const value = (one: unknown) => escaped(cutText(textOf(one) || 'nothing', 200))
    return `<div>${escaped(path || 'arguments')}: <del>${value(was)}</del> <ins>${value(is)}</ins></div>`
  })
  const word = stepWords[kind]
  const note =
    word === ''
      ? ''
      : `<tr class="note"><td colspan="2"><span class="chip wait">${word}</span>${told.join('')}</td></tr>`
  return `<tr>${cell(sides.before, before, 'del')}${cell(sides.now, after, 'ins')}</tr>${note}`
}

/** What was said in all turns. */
function textOfAnswers({ turns, output }: AttemptResult['trace']): string {
  return turns.length < 2 ? output : turns.map((turn) => turn.output).join('\n\n')
}

function answersOf(before: string, now: string): string {
  if (before === now) return '<p class="quiet">The answer is the same, to the letter.</p>'
  const pieces = differencesOf(before, now)
  if (pieces !== null) {
    const tags = { same: null, expected: 'del', output: 'ins' } as const
    const text = pieces.map(([kind, piece]) => {
      const tag = tags[kind]
      return tag === null ? escaped(piece) : `<${tag}>${escaped(piece)}</${tag}>`
    })
    return `<h4>Answer, accepted (struck through) against now</h4><pre>${text.join('')}</pre>`
  }
  const side = (title: string, text: string) =>
    `<div><h4>${title}</h4><pre>${escaped(cutText(text, answerChars))}</pre></div>`
  return `<div class="sides">${side('Accepted answer', before)}${side('Answer now', now)}</div>`
}
