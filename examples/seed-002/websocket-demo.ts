// An evaluation and a client that watches it over WebSocket, in one terminal:
//   node examples/seed-002/websocket-demo.ts [items]
import { Evaluator, type RunProgress } from 'llm-eval-sdk/evaluation'

const server = process.env['TRACELOOP_BASE_URL'] ?? 'http://localhost:8000'
const key = process.env['TRACELOOP_API_KEY']
const count = Number(process.argv[2] ?? 40)
const runId = `demo-${new Date().toISOString().replaceAll(/\D/g, '')}`
const isTerminal = process.stdout.isTTY === true

// The evaluation: sums, one in ten of which is refused, and one in seven wrong

const cases = Array.from({ length: count }, (_, i) => ({
  id: `sum-${i}`,
  input: `${i} + ${i}`,
  expected: String(2 * i),
}))

async function add(input: unknown): Promise<string> {
  const [left = 0, right = 0] = String(input).split(' + ').map(Number)
  await new Promise((resolve) => void setTimeout(resolve, 40))
  if (left % 10 === 9) throw new Error(`no answer to ${String(input)}`)
  return String(left % 7 === 3 ? left : left + right)
}

const evaluator = new Evaluator({
  task: add,
  dataset: cases,
  datasetName: 'sums',
  metrics: ['accuracy'],
  runId,
  concurrency: 4,
  baseUrl: server,
})

// The client

type Frame =
  | { event_type: 'connected' }
  | { event_type: 'progress'; data: RunProgress }
  | { event_type: 'error'; data: { case_id: string; error: string; message: string } }
  | {
      event_type: 'completed'
      data: RunProgress & { execution_time: number; average_scores: Record<string, number | null> }
    }

/** Resolves when the run is completed; `begin` is called when the socket follows it. */
function monitor(begin: () => unknown): Promise<void> {
  const socket = new WebSocket(`${server.replace('http', 'ws')}/ws/runs/${runId}/progress`)
  return new Promise((resolve, reject) => {
    socket.onopen = () => {
      if (key) socket.send(JSON.stringify({ type: 'auth', token: key }))
    }
    socket.onmessage = ({ data }) => {
      const frame: Frame = JSON.parse(String(data))
      if (frame.event_type === 'connected') begin()
      if (frame.event_type === 'progress') showProgress(frame.data)
      if (frame.event_type === 'error') showLine(`✗ ${frame.data.case_id}: ${frame.data.message}`)
      if (frame.event_type !== 'completed') return
      showSummary(frame.data)
      socket.close()
      resolve()
    }
    socket.onclose = ({ code }) =>
      reject(new Error(`The connection was closed with ${code}; is a server running at ${server}?`))
  })
}

// The terminal: a bar that stays in its place, or plain lines where nobody looks

let bar = ''
let tenths = -1

function showProgress({ completed_items: completed, total_items: total, success_rate: rate }: RunProgress): void {
  const share = total ? completed / total : 0
  const filled = Math.round(share * 30)
  const success = rate === null ? 'unknown' : `${(rate * 100).toFixed(1)} %`
  const words = `${completed} of ${total ?? 'unknown'}, success rate ${success}`
  if (isTerminal) {
    bar = `${'█'.repeat(filled)}${'░'.repeat(30 - filled)} ${Math.floor(share * 100)} %  ${words}`
    process.stdout.write(`\r\u001B[K${bar}`)
  } else if (Math.floor(share * 10) > tenths) {
    tenths = Math.floor(share * 10)
    console.log(words)
  }
}

function showLine(line: string): void {
  if (isTerminal) process.stdout.write(`\r\u001B[K${line}\n${bar}`)
  else console.log(line)
}

function showSummary({
  completed_items: completed,
  success_rate: rate,
  average_scores: scores,
  execution_time: seconds,
}: Extract<Frame, { event_type: 'completed' }>['data']): void {
  const means = Object.entries(scores).map(([name, mean]) => `${name} ${mean === null ? 'unknown' : mean.toFixed(3)}`)
  bar = ''
  showLine(
    `Completed: ${completed} items in ${seconds.toFixed(1)} s, success rate ${rate === null ? 'unknown' : rate.toFixed(3)}, ${means.join(', ')}`,
  )
  console.log(`${server}/runs/${runId}`)
}

console.log(`Run ${runId}`)
let evaluation: Promise<unknown> | undefined
await monitor(() => {
  evaluation = evaluator.run()
})
await evaluation
