import type { AttemptResult, CaseResult } from '@llm-eval/protocol'
import { count } from '../display/amounts.ts'
import { ProgressBar } from '../display/progress.ts'
import { oneLine, truncate } from '../display/width.ts'
import type { Screen } from '../terminal.ts'
import { reasonsOf } from './reasons.ts'

/** Cases that are told as they fail; the others are in the table at the end. */
const toldFailures = 10

/** Shows how far the cases are, with running counts, and tells of those that do not pass as it happens. */
export class LiveCases {
  readonly #screen: Screen
  readonly #bar: ProgressBar
  readonly #total: number
  #counts = { done: 0, passed: 0, failed: 0, untold: 0 }
  #told = 0

  /** @param total attempts at all cases */
  constructor(
    screen: Screen,
    { cases, total, now = () => performance.now() }: { cases: number; total: number; now?: () => number },
  ) {
    this.#screen = screen
    this.#bar = new ProgressBar(screen, now)
    this.#total = total
    this.#bar.show({ done: 0, total, words: `${count(cases)} cases` })
  }

  attempt({ outcome }: AttemptResult): void {
    const counts = this.#counts
    counts.done++
    if (outcome === 'passed') counts.passed++
    else if (outcome === 'failed') counts.failed++
    else counts.untold++
    const words = [
      `${count(counts.done)}/${count(this.#total)}`,
      `${count(counts.passed)} passed`,
      ...(counts.failed > 0 ? [`${count(counts.failed)} failed`] : []),
      ...(counts.untold > 0 ? [`${count(counts.untold)} not evaluated`] : []),
    ]
    this.#bar.show({ done: counts.done, total: this.#total, words: words.join(', ') })
  }

  case(result: CaseResult): void {
    if (result.outcome === 'passed' || ++this.#told > toldFailures + 1) return
    const screen = this.#screen
    const isLast = this.#told > toldFailures
    const words = isLast
      ? 'More cases do not pass; they are counted, and told at the end.'
      : `${truncate(oneLine(result.name), 40)}  ${oneLine(reasonsOf(result)[0] ?? 'it did not pass')}`
    const mark = isLast ? '…' : result.outcome
    const paint = result.outcome === 'unevaluated' || isLast ? 'yellow' : 'red'
    const room = screen.isTTY ? screen.columns - mark.length - 3 : 500
    screen.line(`${screen.paint(paint, mark)}  ${truncate(words, room)}`)
  }

  /** Takes away what is redrawn. */
  end(): void {
    this.#bar.end()
  }
}
