import { once } from 'node:events'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { dirname, relative, resolve } from 'node:path'
import { questionIn, understand } from '@llm-eval/agents'
import { writeCases } from '@llm-eval/formats'
import { limits } from '@llm-eval/protocol'
import { Recording } from '../agents/recording.ts'
import { createRecordingProxy, type Passed } from '../agents/recording-proxy.ts'
import { withoutSecrets } from '../agents/redact.ts'
import { Complaint, exitCodes, fileComplaint, systemCode } from '../complaint.ts'
import { count } from '../display/amounts.ts'
import { oneLine, truncate } from '../display/width.ts'
import type { GlobalOptions } from '../target.ts'
import type { Stage } from '../terminal.ts'

/** Options of `llm-eval record`. */
export interface RecordOptions extends GlobalOptions {
  agent: string
  port: number
  out: string
  force?: boolean
}

const comment = `Recorded by llm-eval record. What is expected is what happened: keep what must be so, and add what must not.
Texts that look like secrets were taken out; headers are never written.`

/** `llm-eval record`: stands between a client and an agent until Ctrl-C, and writes cases of what went through. */
export async function recordAgent(terminal: Stage, options: RecordOptions): Promise<number> {
  const target = URL.parse(options.agent)
  if (target === null || !/^https?:$/.test(target.protocol))
    throw new Complaint(
      `${oneLine(options.agent)} is no URL of http. Say where the agent answers: --agent http://localhost:3000/api/chat`,
    )
  const path = resolve(terminal.cwd, options.out)
  await checkFree(path, options)
  const taken = new Taking(terminal)
  const proxy = createRecordingProxy({
    target,
    onPassed: (passed) => taken.passed(passed),
    onFailed: (where, message) => taken.told('red', 'error', `${oneLine(withoutSecrets(where))}  ${oneLine(message)}`),
  })
  const port = await listening(proxy, options.port)
  terminal.err.line(`Send your client to http://127.0.0.1:${port}${target.pathname}`)
  terminal.err.line(terminal.err.paint('dim', `Everything goes on to ${target.origin}. Ctrl-C writes ${options.out}.`))
  try {
    if (!terminal.signal.aborted) await once(terminal.signal, 'abort')
  } finally {
    proxy.closeAllConnections()
    proxy.close()
  }
  return write(terminal, { taken, path })
}

async function checkFree(path: string, { force, out }: RecordOptions): Promise<void> {
  try {
    await stat(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return
    throw fileComplaint(out, error)
  }
  if (!force) throw new Complaint(`${oneLine(out)} is there already. --force writes it anew, --out elsewhere.`)
}

async function listening(proxy: Server, port: number): Promise<number> {
  proxy.listen(port, '127.0.0.1')
  try {
    await once(proxy, 'listening')
  } catch (error) {
    if (systemCode(error) === 'EADDRINUSE')
      throw new Complaint(`Port ${port} is taken. --port 0 takes any that is free.`, { cause: error })
    throw error
  }
  const address = proxy.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

async function write({ out, cwd }: Stage, { taken, path }: { taken: Taking; path: string }): Promise<number> {
  const cases = taken.recording.cases()
  if (cases.length === 0) {
    out.line(
      `Nothing was recorded${taken.passedBy === 0 ? '' : ` of ${count(taken.passedBy)} exchanges`}: no file is written.`,
    )
    return exitCodes.failed
  }
  let text = writeCases(cases, comment)
  let kept = cases.length
  // A file that could not be read again would be of no use.
  while (Buffer.byteLength(text) > limits.caseFileBytes && kept > 1) {
    kept = Math.floor(kept / 2)
    text = writeCases(cases.slice(0, kept), comment)
  }
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  } catch (error) {
    throw fileComplaint(`${path} cannot be written`, error)
  }
  const left = cases.length - kept
  out.line(`${count(kept)} cases of ${count(taken.recorded)} exchanges in ${relative(cwd, path)}.`)
  if (left > 0)
    out.line(`${count(left)} cases are left out, as a file of cases holds ${count(limits.caseFileBytes)} bytes.`)
  if (taken.recording.beyond > 0) out.line(`${count(taken.recording.beyond)} exchanges came when enough was recorded.`)
  out.line('Next: look through what is expected, then llm-eval test')
  return exitCodes.ok
}

/** Takes what passes, and tells of it. */
class Taking {
  readonly recording = new Recording()
  /** Exchanges that became part of a case, and all that went through. */
  recorded = 0
  passedBy = 0
  readonly #terminal: Stage

  constructor(terminal: Stage) {
    this.#terminal = terminal
  }

  passed({ method, path, status, contentType, asked, answered }: Passed): void {
    this.passedBy++
    const where = `${method} ${oneLine(withoutSecrets(path))}`
    const question = asked === null ? null : questionIn(jsonOf(asked))
    if (asked === null || answered === null) return this.told('dim', 'passed', `${where}  too large, or not readable`)
    if (question === null) return this.told('dim', 'passed', `${where}  holds no question`)
    if (status >= 300) return this.told('yellow', 'passed', `${where}  status ${status}`)
    const answer = understand({ contentType, text: answered })
    if (answer.fault) return this.told('yellow', 'passed', `${where}  ${oneLine(answer.fault.message)}`)
    this.recording.add({ asked: question, answer })
    this.recorded++
    const tools = answer.toolCalls.map(({ name }) => oneLine(name)).join(', ')
    this.told(
      'green',
      'recorded',
      `${oneLine(withoutSecrets(question.query.slice(0, 500)))}${tools === '' ? '' : `  → ${tools}`}`,
    )
  }

  told(paint: 'red' | 'green' | 'yellow' | 'dim', mark: string, words: string): void {
    const { err } = this.#terminal
    err.line(`${err.paint(paint, mark)}  ${truncate(words, err.isTTY ? err.columns - mark.length - 3 : 300)}`)
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
