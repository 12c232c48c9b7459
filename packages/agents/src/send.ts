import { limits } from '@llm-eval/protocol'
import { AgentFailed, networkFailure } from './fault.ts'
import type { AgentRequest } from './request.ts'

/** What asking takes from outside. */
export interface Sending {
  fetch: typeof globalThis.fetch
  signal: AbortSignal
}

/** How often a request is led on, within one origin. */
const redirectsMax = 5

/**
 * Sends a request and gives back the answer, when it is one: its body is still to be read.
 *
 * @throws AgentFailed for a status of 400 and more, for redirects that are not followed, and when nobody answers
 */
export async function send(request: AgentRequest, { fetch, signal }: Sending): Promise<Response> {
  let { url } = request
  for (let led = 0; ; led++) {
    const { method, headers, body } = request
    const init = { method, headers, redirect: 'manual' as const, signal }
    let answer: Response
    try {
      answer = await fetch(url, method === 'GET' || method === 'HEAD' ? init : { ...init, body })
    } catch (error) {
      signal.throwIfAborted()
      throw networkFailure(error, url)
    }
    const next = await nextOf(answer, { url, led })
    if (next === undefined) return answer
    url = next
  }
}

/** Where an answer leads, if it leads anywhere; it stays with one origin, so that no key of a header is sent to another. */
async function nextOf(answer: Response, { url, led }: { url: string; led: number }): Promise<string | undefined> {
  const { status } = answer
  if (status < 300) return undefined
  if (status >= 400) throw await refusalOf(answer, url)
  await answer.body?.cancel()
  const location = answer.headers.get('location')
  const next = location === null || !URL.canParse(location, url) ? undefined : new URL(location, url)
  const fault = (message: string) => new AgentFailed({ code: 'redirect', message, status })
  if (next === undefined) throw fault(`The agent answered with status ${status}, which leads nowhere.`)
  if (next.origin !== new URL(url).origin)
    throw fault(`The agent leads to another host, ${next.origin}: name that as its address, if it is meant.`)
  // Without what may be a key in its query.
  const place = next.origin + next.pathname
  if (status !== 307 && status !== 308)
    throw fault(`The agent answered with status ${status}, which drops the message: name ${place} as its address.`)
  if (led >= redirectsMax) throw fault(`The agent leads on and on: ${redirectsMax} redirects, the last to ${place}.`)
  return next.href
}

async function refusalOf(answer: Response, url: string): Promise<AgentFailed> {
  const { status, headers } = answer
  const excerpt = await excerptOf(answer)
  const { host } = new URL(url)
  const message = `${host} answered with status ${status}${excerpt === '' ? '' : `: ${excerpt}`}`
  const again = status === 408 || status === 425 || status === 429 || status >= 500
  const retryAfterMs = retryAfter(headers)
  return new AgentFailed({ code: 'http_status', message, status, excerpt }, { again, retryAfterMs })
}

/** The beginning of an answer, on one line. */
async function excerptOf(answer: Response): Promise<string> {
  const decoder = new TextDecoder()
  const chunks = answer.body?.getReader()
  // The status says most: words that do not come are not waited for.
  const timer = setTimeout(() => void chunks?.cancel().catch(() => undefined), limits.agentCloseMs)
  let text = ''
  try {
    while (text.length < limits.agentExcerptChars) {
      const chunk = await chunks?.read()
      if (chunk === undefined || chunk.done) break
      text += decoder.decode(chunk.value, { stream: true })
    }
  } catch {
    // What came until here is all there is to show.
  } finally {
    clearTimeout(timer)
    void chunks?.cancel().catch(() => undefined)
  }
  return excerpt(text)
}

/** Text on one line, cut, without what a terminal would take for a command. */
export function excerpt(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.length > limits.agentExcerptChars ? `${line.slice(0, limits.agentExcerptChars - 1)}…` : line
}

/** Milliseconds. A date is one of the agent's clock, and means something only beside the date of its answer. */
function retryAfter(headers: Headers): number | null {
  const value = headers.get('retry-after')
  if (value === null) return null
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000
  const ms = Date.parse(value) - Date.parse(headers.get('date') ?? '')
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}
