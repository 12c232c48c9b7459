import { type Agent, agentDefaults, type Asked } from './agent.ts'
import { fillText, fillValue, type Places } from './template.ts'

/** One request, ready to be sent. */
export interface AgentRequest {
  url: string
  method: string
  headers: Record<string, string>
  body: string
  /** What must not be told of it: keys of its headers and its address. */
  secrets: string[]
}

/**
 * Writes the request of a turn.
 *
 * @throws UnknownPlace when a template names what is not there, and TypeError for a URL that is none
 */
export function requestOf(agent: Agent, asked: Asked, env: Readonly<Record<string, string | undefined>>): AgentRequest {
  const places = {
    query: asked.query,
    context: asked.context ?? {},
    history: asked.history,
    messages: [...asked.history, { role: 'user', content: asked.query }],
    session_id: asked.sessionId,
    turn: asked.turn,
    user_id: agent.userId ?? agentDefaults.userId,
    model: agent.model ?? null,
    env,
  }
  const { url, headers, secrets } = wayTo(agent, places)
  const body =
    typeof agent.request === 'object'
      ? fillValue(agent.request.body, places)
      : { ...bodies[agent.request ?? 'seed'](agent, asked), ...agent.body }
  return {
    url,
    method: agent.method ?? 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream, application/x-ndjson, application/json, */*;q=0.5',
      'user-agent': 'llm-eval',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    secrets,
  }
}

/** Address and headers with their places filled; a name and password in the address become a header, as in browsers. */
function wayTo(agent: Agent, places: Places): { url: string; headers: Record<string, string>; secrets: string[] } {
  const filled = fillText(agent.url, places)
  if (!URL.canParse(filled)) throw new TypeError('The address of the agent is no URL.')
  const url = new URL(filled)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TypeError(`The address of the agent begins with ${url.protocol}, not with http: or https:.`)
  const headers: Record<string, string> = {}
  const { username, password } = url
  if (username !== '' || password !== '') {
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`
    url.username = ''
    url.password = ''
  }
  for (const [name, value] of Object.entries(agent.headers ?? {}))
    headers[name.toLowerCase()] = sendable(name, fillText(value, places))
  const keys = Object.entries(headers).flatMap(([name, value]) =>
    isOpen.test(name) ? [] : [value, ...value.split(' ')],
  )
  const secrets = [...keys, password, decodeURIComponent(password), ...url.searchParams.values()]
  // Shorter ones are words that messages hold anyhow.
  return { url: url.href, headers, secrets: [...new Set(secrets)].filter((one) => one.length >= 6) }
}

/** Headers whose values anybody may see. */
const isOpen = /^(accept|content|user-agent|cache|connection)/

/** @throws TypeError that does not quote the value, as that of `fetch` does */
function sendable(name: string, value: string): string {
  try {
    return new Headers([[name, value]]).get(name) ?? value
  } catch {
    throw new TypeError(`The header ${name.toLowerCase()} holds what no header may, such as the end of a line.`)
  }
}

type Body = (agent: Agent, asked: Asked) => Record<string, unknown>

const bodies: Record<Exclude<Agent['request'], object | undefined>, Body> = {
  seed: ({ userId = agentDefaults.userId }, { query, context, history, sessionId }) => ({
    // The seed says `message`; backends written for its `http` adapter read `query`, those of `streaming` also `prompt`.
    message: query,
    query,
    prompt: query,
    userId,
    context,
    ...(history.length === 0 ? {} : { conversation_history: history }),
    ...(sessionId === null ? {} : { session_id: sessionId, sessionId }),
  }),
  openai_chat: ({ model = 'default' }, { query, history }) => ({
    model,
    messages: [...history, { role: 'user', content: query }],
    stream: true,
    stream_options: { include_usage: true },
  }),
  openai_responses: ({ model = 'default' }, { query, history, sessionId }) => ({
    model,
    stream: true,
    ...(sessionId === null
      ? { input: [...history, { role: 'user', content: query }] }
      : { input: query, previous_response_id: sessionId }),
  }),
  ai_sdk: (_agent, { query, history, sessionId, turn }) => ({
    id: sessionId ?? 'llm-eval',
    trigger: 'submit-message',
    messages: [...history, { role: 'user' as const, content: query }].map(({ role, content }, index) => ({
      id: `${turn}-${index}`,
      role,
      parts: [{ type: 'text', text: content }],
    })),
  }),
  ag_ui: (_agent, { query, context, history, sessionId, turn }) => ({
    threadId: sessionId ?? 'llm-eval',
    runId: `run-${turn}`,
    state: {},
    messages: [...history, { role: 'user' as const, content: query }].map((message, index) => ({
      id: `${turn}-${index}`,
      ...message,
    })),
    tools: [],
    context: Object.entries(context ?? {}).map(([description, value]) => ({
      description,
      value: typeof value === 'string' ? value : JSON.stringify(value),
    })),
    forwardedProps: {},
  }),
}
