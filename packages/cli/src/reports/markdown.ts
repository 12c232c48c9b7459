import { gateWords, summaryOf } from '../commands/comparison-words.ts'
import { count, dollars, duration, figure, percent } from '../display/amounts.ts'
import { truncate } from '../display/width.ts'
import type { Reported } from './gather.ts'
import { markdownText } from './markdown-text.ts'

/** Groups of errors that are told. */
const mostErrors = 5

/** Evaluations as Markdown, for a pull request or the summary of a CI job. */
export function markdownOf(all: readonly Reported[]): string {
  return `${all.map((one) => sectionOf(one).join('\n')).join('\n\n')}\n`
}

const marks: Record<number, string> = { 0: '✅', 1: '❌', 3: '⚠️' }

function sectionOf({ run, metrics, gate, comparison, exitCode, verdict, errors }: Reported): string[] {
  const { completed_items: done, total_items: total, cost, unknown_costs: unknown } = run
  const items = total === null || total === done ? count(done) : `${count(done)} of ${count(total)}`
  const spent = unknown === 0 ? dollars(cost) : cost === 0 ? 'unknown cost' : `≥ ${dollars(cost)}`
  const facts = [
    `${items} items`,
    `${percent(run.success_rate)} without an error`,
    spent,
    ...(run.duration_ms === null ? [] : [duration(run.duration_ms)]),
    `run \`${run.run_id.replaceAll('`', '')}\``,
  ]
  return [
    `### ${marks[exitCode] ?? '❌'} ${markdownText(run.name)}`,
    '',
    markdownText(verdict),
    '',
    ...(gate?.reasons ?? []).map(({ outcome, message }) => `- ${gateWords[outcome]}: ${markdownText(message)}`),
    ...(gate === null ? [] : ['']),
    '| metric | mean | 95 % | scored | passed | skipped | errored |',
    '|---|--:|---|--:|--:|--:|--:|',
    ...metrics.map(({ name, mean, scored, pass_rate: rate, skipped, errored }) => {
      const interval = mean === null ? '-' : `${figure(mean.low)} to ${figure(mean.high)}`
      const cells = [
        markdownText(name),
        figure(mean?.estimate ?? null),
        interval,
        percent(done === 0 ? null : scored / done),
      ]
      return `| ${[...cells, percent(rate?.estimate ?? null), count(skipped), count(errored)].join(' | ')} |`
    }),
    '',
    ...errorsOf(errors),
    ...(comparison === null ? [] : [markdownText(summaryOf(comparison)), '']),
    facts.join(' · '),
  ]
}

function errorsOf({ items, others }: Reported['errors']): string[] {
  if (items.length === 0) return []
  const rest = others + items.slice(mostErrors).reduce((sum, { count: times }) => sum + times, 0)
  return [
    'What went wrong:',
    '',
    ...items.slice(0, mostErrors).map(({ metric, code, count: times, pattern, examples: [first] }) => {
      const where = metric === null ? 'task' : metric
      const example = first === undefined ? '' : ` (such as ${markdownText(truncate(first.case_id, 80))})`
      return `- ${count(times)} × ${markdownText(where)}, ${markdownText(code)}: ${markdownText(truncate(pattern, 300))}${example}`
    }),
    ...(rest > 0 ? [`- and ${count(rest)} more`] : []),
    '',
  ]
}
