import { resolve } from 'node:path'
import { Complaint } from '../complaint.ts'
import type { Stage } from '../terminal.ts'
import { watchCommand } from '../watch.ts'
import type { CaseOptions } from './ask-suite.ts'

/** Tests again whenever cases or settings change, and when a file comes into a folder of cases. Ends with Ctrl-C. */
export function watchCases(stage: Stage, paths: readonly string[], { send }: CaseOptions): Promise<number> {
  if (send) throw new Complaint('--watch tests with every change, which is no result to keep: say --send without it.')
  return watchCommand(stage, { files: paths.map((path) => resolve(stage.cwd, path)), again: 'testing again' })
}
