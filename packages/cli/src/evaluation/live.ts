import type { RunItem, RunningMetric, RunProgress } from '@llm-eval/protocol'
import { count, dollars, duration, figure, percent } from '../display/amounts.ts'
import { bar, barCells, drawEvery, lineEvery } from '../display/progress.ts'
import { displayWidth, oneLine, pad, truncate } from '../display/width.ts'
import type { Screen } from '../terminal.ts'

/** Failed items that are told as they happen; the others are in the table at the end. */
const toldFailures = 10
const shownMetrics = 12
/** Lines of the screen that stay free. */
const spareRows = 4

/** Shows an evaluation while it goes on: bar and metrics that are redrawn on a terminal, a line now and then elsewhere. */
export class Live {
  readonly #screen: Screen
  readonly #now: () => number
  readonly #startedAt: number
  #drawnAt: number
  #before: number | null = null
  #failures = 0

  constructor(screen: Screen, now: () => number = () => performance.now()) {
    this.#screen = screen
    this.#now = now
    this.#startedAt = now()
    this.#drawnAt = screen.isTTY ? Number.NEGATIVE_INFINITY : this.#startedAt
  }

  /** Tells of an item that is finished, if it failed. */
  item({ status, case_id: id, repetition, error }: RunItem): void {
    if (status !== 'failed' || ++this.#failures > toldFailures + 1) return
    const screen = this.#screen
    const which = oneLine(repetition > 1 ? `${id} (${repetition})` : id)
    const words =
      this.#failures > toldFailures
        ? 'More items fail; they are counted, and told at the end.'
        : `${truncate(which, 40)}  ${error === null ? 'no reason was given' : `${error.code}: ${oneLine(error.message)}`}`
    screen.line(
      `${screen.paint('red', 'failed')}  ${screen.isTTY ? truncate(words, screen.columns - 9) : truncate(words, 500)}`,
    )
  }

  /** Tells what goes wrong beside. */
  warning(message: string): void {
    this.#screen.line(`${this.#screen.paint('yellow', 'warning:')} ${oneLine(message)}`)
  }

  show(progress: RunProgress): void {
    this.#before ??= Math.max(0, progress.completed_items - 1)
    const now = this.#now()
    if (now - this.#drawnAt < (this.#screen.isTTY ? drawEvery : lineEvery)) return
    this.#drawnAt = now
    if (!this.#screen.isTTY) return this.#screen.line(this.#words(progress).join(', '))
    const room = Math.max(1, Math.min(shownMetrics, this.#screen.rows - spareRows))
    this.#screen.status([this.#bar(progress), ...this.#metrics(progress, room)].join('\n'))
  }

  /** Takes away what is redrawn. */
  end(): void {
    this.#screen.status('')
  }

  #bar(progress: RunProgress): string {
    const { completed_items: done, total_items: total } = progress
    const screen = this.#screen
    const words = this.#words(progress).join(', ')
    // Never so wide that the terminal breaks the line: it could not be overwritten then.
    const room = screen.columns - 1
    if (total === null || total === 0 || room < 2 * barCells) return truncate(words, room)
    return `${bar(screen, Math.min(1, done / total))}  ${truncate(words, room - barCells - 2)}`
  }

  /** Of the same on a terminal and elsewhere, the most telling first. */
  #words({
    completed_items: done,
    total_items: total,
    success_rate: rate,
    cost,
    unknown_costs: unknown,
  }: RunProgress): string[] {
    const elapsed = this.#now() - this.#startedAt
    const here = done - (this.#before ?? 0)
    const perMs = elapsed > 0 ? here / elapsed : 0
    const left = total !== null && perMs > 0 && done < total ? [`${duration((total - done) / perMs)} left`] : []
    const share = total === null || total === 0 ? [] : [`${Math.floor((100 * Math.min(done, total)) / total)} %`]
    const spent = cost === 0 && unknown > 0 ? [] : [`${unknown > 0 ? '≥ ' : ''}${dollars(cost)}`]
    const items = `${total === null ? count(done) : `${count(done)}/${count(total)}`} items`
    const pace = perMs * 1_000 >= 10 ? `${count(perMs * 1_000)}/s` : `${(perMs * 1_000).toFixed(1)}/s`
    if (done === 0) return [...share, items]
    return [...share, items, pace, ...left, `${percent(rate)} without an error`, ...(cost === 0 ? [] : spent)]
  }

  #metrics({ metrics, completed_items: done }: RunProgress, room: number): string[] {
    const all = Object.entries(metrics)
    const shown = all.slice(0, all.length > room ? Math.max(0, room - 1) : room)
    const width = Math.min(32, Math.max(0, ...shown.map(([name]) => displayWidth(oneLine(name)))))
    const lines = shown.map(([name, metric]) =>
      truncate(
        `  ${pad(truncate(oneLine(name), width), width)}  ${metricText(metric, done)}`,
        this.#screen.columns - 1,
      ),
    )
    return all.length > shown.length ? [...lines, `  and ${all.length - shown.length} other metrics`] : lines
  }
}

function metricText({ mean, ci, n, errored }: RunningMetric, done: number): string {
  if (mean === null) return n === 0 && done > 0 ? 'not scored yet' : '-'
  const interval = ci === null ? '' : ` ± ${Number(((ci[1] - ci[0]) / 2).toPrecision(2))}`
  const trouble = errored === 0 ? '' : `, ${count(errored)} errored`
  return `${pad(`${figure(mean)}${interval}`, 18)}  ${percent(done === 0 ? null : n / done)} scored${trouble}`
}
