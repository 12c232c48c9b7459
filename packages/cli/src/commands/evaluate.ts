import { setFlagsFromString } from 'node:v8'
import { Complaint, exitCodes } from '../complaint.ts'
import { type Column, table } from '../display/table.ts'
import { oneLine, safeJson } from '../display/width.ts'
import { divertConsole } from '../evaluation/console.ts'
import { evaluate, type Evaluated } from '../evaluation/evaluate.ts'
import { findEvaluationFiles } from '../evaluation/find-files.ts'
import { loadEvaluations } from '../evaluation/load.ts'
import type { RunOptions } from '../evaluation/options.ts'
import { openPlace, type Place } from '../place.ts'
import { saveReports } from '../reports/save.ts'
import type { Stage, Terminal } from '../terminal.ts'
import { watchCommand } from '../watch.ts'
import { gateStyles, gateWords, summaryOf } from './comparison-words.ts'
import { printNumbers } from './runs.ts'

/**
 * Evaluating counts, not what it takes to start (see bin/llm-eval.js). What an item leaves behind is collected soon: with the
 * engine's own measures ten thousand small items hold twice the memory, and are done a tenth sooner.
 */
const flags = ['--no-optimize-for-size', '--semi-space-growth-factor=1', '--heap-growing-percent=40']

/** `llm-eval run`: evaluates evaluation files. Gives the exit code. */
export async function runEvaluations(stage: Stage, files: string[], options: RunOptions): Promise<number> {
  for (const flag of flags) setFlagsFromString(flag)
  const found = await findEvaluationFiles(stage, files)
  if (options.watch) return watchCommand(stage, { files: withoutResuming(found, options), again: 'evaluating again' })
  const giveBack = divertConsole(stage.err)
  stage.atEnd(async () => giveBack())
  const loaded = await loadEvaluations(stage, found)
  checkSingle(loaded.length, options)
  const place = await openPlace(stage, options)
  const done: Evaluated[] = []
  try {
    for (const evaluation of loaded) {
      if (stage.signal.aborted) break
      if (loaded.length > 1) stage.err.line(stage.err.paint('bold', oneLine(evaluation.definition.name)))
      const evaluated = await evaluate(stage, { place, evaluation, options })
      done.push(evaluated)
      if (options.json) stage.out.line(safeJson(JSON.stringify(jsonOf(evaluated))))
      else await print(stage, place, evaluated)
    }
  } finally {
    // One that cannot be evaluated takes nothing away from those before it.
    await saveReports(stage, options, { target: place.target, all: done })
  }
  if (!options.json && loaded.length > 1) printAll(stage, done)
  return stage.signal.aborted ? exitCodes.interrupted : worst(done.map(({ exitCode }) => exitCode))
}

function withoutResuming(files: string[], { resume }: RunOptions): string[] {
  if (resume === undefined) return files
  throw new Complaint('--watch begins a run with every change, and --resume goes on with one: say one of them.')
}

function checkSingle(evaluations: number, { resume, baseline, name }: RunOptions): void {
  if (evaluations === 1) return
  const flag =
    typeof resume === 'string'
      ? '--resume RUN'
      : baseline !== undefined
        ? '--baseline'
        : name !== undefined
          ? '--name'
          : null
  if (flag !== null) throw new Complaint(`${flag} is for one evaluation, and there are ${evaluations}.`)
}

/** The first of these that came up is how all of it ended. */
const gravest = [exitCodes.interrupted, exitCodes.impossible, exitCodes.failed, exitCodes.untold]

function worst(codes: readonly number[]): number {
  return gravest.find((code) => codes.includes(code)) ?? exitCodes.ok
}

function jsonOf({ file, run, metrics, gate, comparison, exitCode, verdict, before, url, warnings }: Evaluated): object {
  return { file, exit_code: exitCode, verdict, run, metrics, gate, comparison, previous_run_id: before, url, warnings }
}

const endStyles: Record<number, 'green' | 'yellow' | 'red'> = { [exitCodes.ok]: 'green', [exitCodes.untold]: 'yellow' }

async function print(stage: Stage, place: Place, evaluated: Evaluated): Promise<void> {
  const { out } = stage
  const { run, comparison, gate, exitCode, verdict } = evaluated
  // What is finished is told after Ctrl-C too.
  const calm: Terminal = { ...stage, signal: new AbortController().signal }
  await printNumbers(calm, place.target, run)
  out.line()
  if (comparison !== null) out.line(summaryOf(comparison))
  for (const { outcome, message } of gate?.reasons ?? [])
    out.line(`  ${out.paint(gateStyles[outcome], gateWords[outcome])}  ${oneLine(message)}`)
  out.line(out.paint(endStyles[exitCode] ?? 'red', verdict))
  if (place.kind === 'directory') out.line(`Kept in ${place.where}; \`llm-eval serve\` shows it in the browser.`)
  else if (evaluated.url !== null) out.line(evaluated.url)
  out.line(`\nNext: ${nextCommand(evaluated)}`)
}

function nextCommand({ run, before, file, exitCode }: Evaluated): string {
  const id = oneLine(run.run_id)
  const whole = run.status === 'completed' && (run.stopped_by === null || run.stopped_by === 'decided')
  if (!whole || exitCode === exitCodes.impossible) return `llm-eval run ${oneLine(file)} --resume ${id}`
  return before === null ? `llm-eval runs show ${id}` : `llm-eval compare ${oneLine(before)} ${id}`
}

function printAll({ out }: Stage, done: readonly Evaluated[]): void {
  const columns: Column[] = [
    { title: 'EVALUATION', max: 40 },
    { title: 'RUN', max: 60 },
    { title: 'EXIT', align: 'right' },
    { title: 'VERDICT', wraps: true },
  ]
  const rows = done.map(({ run, exitCode, verdict }) => [
    oneLine(run.name),
    oneLine(run.run_id),
    String(exitCode),
    verdict,
  ])
  out.line()
  for (const line of table(out, columns, rows)) out.line(line)
}
