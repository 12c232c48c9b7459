import { AgentFailed, secretsOf, withoutSecrets } from './fault.ts'
import { parsedJson } from './json.ts'
import { send } from './send.ts'

/** Who is called. */
export interface Called {
  headers: Readonly<Record<string, string>>
  /** Headers that prove who asks, made anew as often as they are needed. */
  credentials?: ((signal: AbortSignal) => Promise<Record<string, string>>) | undefined
}

/** One call. */
export interface Calling {
  fetch: typeof globalThis.fetch
  signal: AbortSignal
  /** That go with this one call. */
  headers: Readonly<Record<string, string>>
  url: string
  /** Without one it gets what is there. */
  body?: object | undefined
}

/**
 * Sends JSON to whom an agent is served by, and gives back the answer, when it is one: its body is still to be read. What is
 * thrown holds none of the headers.
 *
 * @throws AgentFailed for a status of 400 and more, for redirects that are not followed, and when nobody answers
 */
export async function callServer(called: Called, { fetch, signal, headers, url, body }: Calling): Promise<Response> {
  const credentials = (await called.credentials?.(signal)) ?? {}
  const own = { ...lowered(called.headers), ...lowered(headers), ...lowered(credentials) }
  const sent = {
    'content-type': 'application/json',
    accept: 'text/event-stream, application/x-ndjson, application/json, */*;q=0.5',
    'user-agent': 'llm-eval',
    ...own,
  }
  const hidden = secretsOf(own)
  const method = body === undefined ? 'GET' : 'POST'
  try {
    const request = { url, method, headers: sent, body: JSON.stringify(body ?? null), secrets: hidden }
    return await send(request, { fetch, signal })
  } catch (error) {
    if (!(error instanceof AgentFailed)) throw error
    const { again, retryAfterMs } = error
    throw new AgentFailed(withoutSecrets(error.fault, hidden), { again, retryAfterMs })
  }
}

function lowered(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

const shortAnswerChars = 1024 * 1024

/** Reads a short answer in one piece. */
export async function readJson(response: Response): Promise<unknown> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > shortAnswerChars)
      throw new AgentFailed({ code: 'too_large', message: 'The server of the agent answered with too much.' })
  }
  const value = parsedJson(text)
  if (value !== undefined) return value
  throw new AgentFailed({ code: 'invalid_json', message: 'The server of the agent answered with what is no JSON.' })
}
