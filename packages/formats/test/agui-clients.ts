import { HttpAgent as Newer } from '@ag-ui/client'
import { HttpAgent as Older } from '@ag-ui/client-0'
import type { AguiEvent } from '@llm-eval/formats/agui'

/** A message as a front end holds it. */
interface Held {
  id: string
  role: string
  // Tests look into messages freely.
  // oxlint-disable-next-line typescript/no-explicit-any
  [key: string]: any
}

/** What a front end makes of a stream. */
export interface Made {
  /** Undefined where the client accepted everything. */
  error: unknown
  /** Code of the RUN_ERROR that it was told. */
  failed: string | null
  messages: Held[]
  state: unknown
  /** Complaints, such as of a patch that could not be applied. */
  warnings: string[]
}

const clients = { '1.0.0': Newer, '0.0.59': Older }
export const versions = Object.keys(clients) as (keyof typeof clients)[]

/** Reads a stream as a front end of that version does. */
export async function readBy(version: keyof typeof clients, events: readonly AguiEvent[]): Promise<Made> {
  const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
  const fetch = () =>
    Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } }))
  const agent = new clients[version]({ url: 'http://agent.test/', threadId: 'thread', fetch })
  const warnings: string[] = []
  const { warn, error: complain } = console
  console.warn = (...words: unknown[]) => void warnings.push(words.map(String).join(' '))
  console.error = () => undefined
  try {
    let failed: string | null = null
    const error: unknown = await agent
      .runAgent({ runId: 'run' }, { onRunErrorEvent: ({ event }) => void (failed = event.code ?? '') })
      .then(
        () => undefined,
        // A run that failed is told as one, and no fault of the stream.
        (reason: unknown) => (failed === null ? reason : undefined),
      )
    return { error, failed, messages: agent.messages, state: agent.state, warnings }
  } finally {
    Object.assign(console, { warn, error: complain })
  }
}
