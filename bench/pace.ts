import { Wire, type WireAnswer } from '../packages/server/test/faults/wire.ts'

/** Milliseconds between two sends; what is due by then is sent. */
const tickMs = 4
const connections = 64

export interface Pace {
  port: number
  perSecond: number
  seconds: number
  /** The bytes of a request, made when it is sent. Those of one connection may share a buffer. */
  request: (number: number, connection: number) => Buffer
  check: (answer: WireAnswer) => void
}

export interface Paced {
  sent: number
  /** What was reached. */
  perSecond: number
  /** Milliseconds of each request. */
  latencies: number[]
}

/** Sends requests evenly. A server that is too slow is not flooded. */
export async function paced({ port, perSecond, seconds, request, check }: Pace): Promise<Paced> {
  const wires = await Promise.all(Array.from({ length: connections }, () => Wire.connect(port)))
  const idle = [...wires.keys()]
  const total = perSecond * seconds
  const latencies: number[] = []
  const answers: Promise<void>[] = []
  const send = async (connection: number) => {
    const bytes = request(answers.length, connection)
    const at = performance.now()
    const answer = await wires[connection]?.send(bytes)
    if (answer) check(answer)
    latencies.push(performance.now() - at)
    idle.push(connection)
  }
  const started = performance.now()
  try {
    while (answers.length < total) {
      const due = Math.min(total, Math.ceil(((performance.now() - started) * perSecond) / 1_000))
      while (answers.length < due) {
        const connection = idle.pop()
        if (connection === undefined) break
        answers.push(send(connection))
      }
      await new Promise((resolve) => setTimeout(resolve, tickMs))
    }
    await Promise.all(answers)
  } finally {
    for (const wire of wires) wire.close()
  }
  return { sent: total, perSecond: (total * 1_000) / (performance.now() - started), latencies }
}
