// Who watches a run connects, subscribes, is told, and leaves; the server keeps its connections by itself.
import { Evaluator } from 'llm-eval-sdk/evaluation'

const server = process.env['TRACELOOP_BASE_URL'] ?? 'http://localhost:8000'
const runId = 'lifecycle'

// Connection lifecycle
const socket = new WebSocket(`${server.replace('http', 'ws')}/ws`)
const say = (message: object) => socket.send(JSON.stringify(message))
const told = new Promise<void>((resolve) => {
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(String(data))
    if (frame.event_type === 'connected') {
      console.log(`connected: ${typeof frame.connection_id}`)
      say({ type: 'subscribe', run_id: runId })
    }
    if (frame.event_type === 'subscribed') {
      console.log(`subscribed to ${frame.run_id}, which is ${frame.run_status}`)
      void evaluator.run()
    }
    if (frame.event_type === 'result') console.log(`${frame.run_id}: item ${frame.data.item_index}`)
    if (frame.event_type === 'completed') resolve()
  }
})

// What it is told of: it may begin long after, and tells everybody who is subscribed by then
const evaluator = new Evaluator({
  task: () => 'Paris',
  dataset: [{ input: 'Capital of France?' }],
  metrics: ['length'],
  runId,
})

await told
say({ type: 'unsubscribe', run_id: runId })
socket.onmessage = ({ data }) => {
  console.log(JSON.parse(String(data)).event_type)
  socket.close()
}
