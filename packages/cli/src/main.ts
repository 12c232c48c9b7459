import { exitCodes, systemCode } from './complaint.ts'
import { run } from './run.ts'
import { Screen } from './terminal.ts'

const asked = new AbortController()
const signalCodes = { SIGINT: exitCodes.interrupted, SIGTERM: 143, SIGHUP: 129 } as const

/** A terminal and npm may both pass on one Ctrl-C; a person needs longer for a second one. */
const sameRequestMs = 150
let askedAt = Number.NEGATIVE_INFINITY

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    const now = performance.now()
    if (asked.signal.aborted && now - askedAt > sameRequestMs) process.exit(signalCodes[signal])
    if (!asked.signal.aborted) askedAt = now
    asked.abort(new Error(`ended by ${signal}`))
  })
}

// One that `llm-eval run --watch` started ends with whoever watches, or when that calls it off; a signal would count twice.
const watched = process.env['LLM_EVAL_WATCHED'] === '1' && process.send !== undefined
if (watched) {
  const callOff = () => {
    askedAt = performance.now()
    asked.abort(new Error('called off'))
  }
  process.on('message', callOff).on('disconnect', callOff)
}

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error) => {
  if (systemCode(error) !== 'EPIPE') process.stderr.write(`error: standard output: ${error.message}\n`)
  process.exit(systemCode(error) === 'EPIPE' ? exitCodes.ok : exitCodes.impossible)
})
process.stderr.on('error', () => undefined)

const exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  out: new Screen(process.stdout, process.env),
  err: new Screen(process.stderr, process.env),
  env: process.env,
  cwd: process.cwd(),
  signal: asked.signal,
  self: [process.execPath, ...process.execArgv, process.argv[1] ?? ''],
  ...(watched ? { onFile: (file) => process.send?.({ file }) } : {}),
})
// What was written to a pipe must be through before the process ends; what is left open otherwise does not keep it.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)))
