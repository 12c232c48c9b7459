import { appendFile, writeFile } from 'node:fs/promises'
import { type ReportFiles, saveFile } from '../reports/save.ts'
import type { Terminal } from '../terminal.ts'
import { ownVersion } from '../version.ts'
import type { SuiteReport } from './report.ts'

/**
 * Writes the reports that were asked for. Markdown is added to its file, as CI jobs share one.
 *
 * @throws {Complaint} for a file that cannot be written
 */
export async function saveAgentReports(
  terminal: Terminal,
  { junit, markdown, html }: ReportFiles,
  report: SuiteReport,
): Promise<void> {
  if (junit !== undefined)
    await saveFile(terminal, junit, { text: (await import('./junit.ts')).agentJunit(report), write: writeFile })
  if (html !== undefined)
    await saveFile(terminal, html, {
      text: (await import('./html.ts')).agentHtml(report, ownVersion()),
      write: writeFile,
    })
  if (markdown !== undefined)
    await saveFile(terminal, markdown, {
      text: (await import('./markdown.ts')).agentMarkdown(report),
      write: appendFile,
    })
}
