import { limits, runRoutes } from '@llm-eval/protocol'
import { runPage } from '@llm-eval/protocol/run-schemas'
import type { ToldRun } from '../commands/runs.ts'
import { Complaint } from '../complaint.ts'
import { oneLine } from '../display/width.ts'
import { ask, readAnswer } from '../http.ts'
import type { Target } from '../target.ts'

/** Pages of runs that are looked through for one of a name. */
const mostPages = 5

/** Runs of user code that are called exactly so, newest first. */
async function* runsCalled(target: Target, name: string): AsyncGenerator<ToldRun> {
  let cursor: string | null = null
  for (let page = 0; page < mostPages; page++) {
    const query: Record<string, string> = {
      search: name.slice(0, limits.searchChars),
      limit: String(limits.pageRows),
      ...(cursor === null ? {} : { cursor }),
    }
    const told = await readAnswer(await ask(target, { route: runRoutes.listRuns, query }), runPage)
    for (const run of told.items) if (run.name === name && run.task.kind === 'client') yield run
    cursor = told.next_cursor
    if (cursor === null) return
  }
}

function isWhole({ status, stopped_by: stop, completed_items: done }: ToldRun): boolean {
  return status === 'completed' && (stop === null || stop === 'decided') && done > 0
}

/** The newest whole run of a name, which a new one can be held against; null where there is none. */
export async function earlierRun(target: Target, name: string, apartFrom: string): Promise<ToldRun | null> {
  for await (const run of runsCalled(target, name)) if (run.run_id !== apartFrom && isWhole(run)) return run
  return null
}

/**
 * The newest run of a name, which was interrupted.
 *
 * @throws {Complaint} where there is none, or it is whole
 */
export async function interruptedRun(target: Target, name: string): Promise<ToldRun> {
  for await (const run of runsCalled(target, name)) {
    if (!isWhole(run)) return run
    throw new Complaint(
      `There is nothing to resume: the newest run of ${oneLine(name)}, ${oneLine(run.run_id)}, is complete. Name another one: --resume RUN.`,
    )
  }
  throw new Complaint(`There is nothing to resume: no run is called ${oneLine(name)}.`)
}
