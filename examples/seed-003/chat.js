// A front end as CopilotKit makes it: `HttpAgent` talks AG-UI to the bridge of llm-eval, which asks the agent. The recorder listens.
//   ?server=http://localhost:8000&target=agent1&thread=my-thread&key=…
import { HttpAgent } from '@ag-ui/client'
import { ConversationRecorder } from 'llm-eval-sdk/recorder'

const given = new URLSearchParams(location.search)
const server = given.get('server') ?? 'http://localhost:8000'
const target = given.get('target') ?? 'agent1'
const threadId = given.get('thread') ?? crypto.randomUUID()
const key = given.get('key')
given.set('thread', threadId)
history.replaceState(null, '', `?${given}`)

const agent = new HttpAgent({
  url: `${server}/agui/${encodeURIComponent(target)}`,
  threadId,
  headers: key ? { authorization: `Bearer ${key}` } : {},
})
const recorder = new ConversationRecorder({ threadId })
recorder.attach(agent)

const at = (id) => document.getElementById(id)
const [messages, question] = [at('messages'), at('question')]
at('thread').textContent = threadId
at('export').href = `${server}/export/${encodeURIComponent(threadId)}`

/** Questions that are through. */
let asked = 0
/** What is on the screen, by the id of its message or its call. */
const shown = new Map()

function show(id, className, author) {
  const made = document.createElement('li')
  made.className = className
  if (author) made.append(Object.assign(document.createElement('b'), { textContent: author }))
  const words = document.createElement('p')
  made.append(words)
  messages.append(made)
  at('empty').hidden = true
  shown.set(id, { made, words })
  return { made, words }
}

function showCall(id, name) {
  const { made, words } = show(id, 'call')
  words.append('calls ', Object.assign(document.createElement('code'), { textContent: name }))
  const pieces = { args: document.createElement('pre'), result: document.createElement('pre') }
  pieces.args.setAttribute('aria-label', 'Arguments')
  pieces.result.setAttribute('aria-label', 'Result')
  pieces.result.hidden = true
  made.append(pieces.args, pieces.result)
  shown.set(id, { made, words, ...pieces })
}

agent.subscribe({
  onTextMessageStartEvent: ({ event }) => void show(event.messageId, 'said', event.name ?? 'agent'),
  onTextMessageContentEvent({ event }) {
    shown.get(event.messageId)?.words.append(event.delta)
    messages.parentElement.scrollTo({ top: messages.parentElement.scrollHeight })
  },
  onToolCallStartEvent: ({ event }) => showCall(event.toolCallId, event.toolCallName),
  onToolCallArgsEvent: ({ event }) => shown.get(event.toolCallId)?.args.append(event.delta),
  onToolCallResultEvent({ event }) {
    const call = shown.get(event.toolCallId)
    if (!call) return
    call.result.textContent = event.content
    call.result.hidden = false
  },
  onRunErrorEvent: ({ event }) => say(event.code === 'abort' ? 'Stopped.' : event.message),
})

/** The bridge says in JSON why it refuses a request. */
function wordsOf({ message }) {
  try {
    const { detail, next } = JSON.parse(message.slice(message.indexOf('{')))
    return [detail, next].filter(Boolean).join(' ')
  } catch {
    return message
  }
}

function say(words) {
  at('state').textContent = words
}

async function ask(text) {
  agent.addMessage({ id: crypto.randomUUID(), role: 'user', content: text })
  show(agent.messages.at(-1).id, 'asked', 'You').words.textContent = text
  busy(true)
  try {
    await agent.runAgent()
  } catch (error) {
    say(wordsOf(error))
  }
  busy(false)
  document.body.dataset.asked = ++asked
  question.focus()
}

function busy(is) {
  at('send').hidden = is
  at('stop').hidden = !is
  document.body.toggleAttribute('data-busy', is)
  if (is) say('The agent is working …')
  else if (at('state').textContent.endsWith('…')) say('')
}

at('ask').addEventListener('submit', (event) => {
  event.preventDefault()
  const text = question.value.trim()
  if (!text || agent.isRunning) return
  question.value = ''
  void ask(text)
})
question.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
  event.preventDefault()
  at('ask').requestSubmit()
})
at('stop').addEventListener('click', () => agent.abortRun())
at('anew').addEventListener('click', () => {
  given.delete('thread')
  location.search = given
})
at('download').addEventListener('click', () => {
  const { name, warnings } = recorder.download()
  say([`${name} is downloaded.`, ...warnings].join(' '))
})
// With a key a link is not enough: it carries no header.
at('export').addEventListener('click', async (event) => {
  if (!key) return
  event.preventDefault()
  const answer = await fetch(event.currentTarget.href, { headers: { authorization: `Bearer ${key}` } })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await answer.blob())
  link.download = /filename="?([^";]+)/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? 'export.evalset.json'
  link.click()
  URL.revokeObjectURL(link.href)
})
