import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { embeddingBody, errorBody, modelBody, readAsked } from './provider-wire.ts'

/** A question as it arrived, whichever API it came by. */
export interface Asked {
  api: 'openai' | 'anthropic' | 'gemini'
  use: 'chat' | 'embedding'
  model: string
  /** All that the model is told, system prompt first, as one text. */
  prompt: string
  /** The JSON Schema that the answer is to have; null when none was sent. */
  schema: Record<string, unknown> | null
  /** Of an embedding. */
  texts: string[]
  headers: IncomingHttpHeaders
  path: string
  body: Record<string, unknown>
}

/** Tokens as the answer tells them; cached ones are part of the input. Null: the answer does not tell. */
export type ToldUsage = { input: number; output: number; cached?: number } | null

/** What the provider does with a question. */
export type Reply =
  | { does: 'answer'; text: string; finish: 'stop' | 'length' | 'refusal'; model?: string; usage?: ToldUsage }
  | { does: 'embed'; vectors?: number[][]; usage?: ToldUsage }
  | { does: 'send'; status: number; headers: Record<string, string>; body: string }
  | { does: 'hang up' }
  | { does: 'nothing' }

interface Told {
  model?: string
  usage?: ToldUsage
}

/** Answers with JSON in the shape that was asked for. */
export function says(value: Record<string, unknown>, told: Told = {}): Reply {
  return { does: 'answer', text: JSON.stringify(value), finish: 'stop', ...told }
}

/** Answers with a text, whatever shape was asked for. */
export function prose(text: string, told: Told = {}): Reply {
  return { does: 'answer', text, finish: 'stop', ...told }
}

/** Answers with JSON that ends in the middle, because the tokens were used up. */
export function truncated(value: Record<string, unknown>, told: Told = {}): Reply {
  const whole = JSON.stringify(value)
  return { does: 'answer', text: whole.slice(0, Math.ceil(whole.length / 2)), finish: 'length', ...told }
}

/** Will not answer, for reasons of its policy. */
export function refuses(why = 'I cannot help with that.', told: Told = {}): Reply {
  return { does: 'answer', text: why, finish: 'refusal', ...told }
}

/** Fails with a status, such as 429 or 500, in the words of its API. */
export function fails(status: number, message = 'scripted', headers: Record<string, string> = {}): Reply {
  return { does: 'send', status, headers, body: errorBody(status, message) }
}

/** Sends what no provider should. */
export function sends(body: string, headers: Record<string, string> = {}): Reply {
  return { does: 'send', status: 200, headers, body }
}

/** Closes the connection without an answer. */
export const hangsUp: Reply = { does: 'hang up' }

/** Never answers. */
export const never: Reply = { does: 'nothing' }

/** Texts that share letters are near each other. A vector may be given for each. */
export function embeds(vectors?: number[][], usage?: ToldUsage): Reply {
  return { does: 'embed', ...(vectors ? { vectors } : {}), ...(usage === undefined ? {} : { usage }) }
}

/** A real HTTP server that speaks the APIs of OpenAI, Anthropic and Gemini. */
export interface Provider extends AsyncDisposable {
  /** For the member `base_url` of a provider of this API. */
  base(api: Asked['api']): string
  readonly asked: Asked[]
  /** What the next questions get, before `answer` is asked again. */
  next(...replies: Reply[]): void
  /** Resolves when so many questions have come in all. */
  came(count: number): Promise<void>
  close(): Promise<void>
}

/** Starts one on a free port of 127.0.0.1. Without an answer, texts are embedded and questions get 404. */
export async function startProvider({
  answer = () => fails(404, 'nothing is scripted'),
}: {
  answer?: (asked: Asked) => Reply | Promise<Reply>
} = {}): Promise<Provider> {
  const asked: Asked[] = []
  const scripted: Reply[] = []
  const watchers = new Set<() => void>()
  const server = createServer((request, response) => {
    void (async () => {
      const one = readAsked(request.url ?? '/', request.headers, await textOf(request))
      asked.push(one)
      for (const look of watchers) look()
      const reply = scripted.shift() ?? (one.use === 'embedding' ? embeds() : await answer(one))
      send(response, one, reply)
    })().catch((error: unknown) => response.writeHead(500).end(errorBody(500, String(error))))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let closed: Promise<unknown> | undefined
  const close = async () => {
    closed ??= once(server.close(), 'close')
    server.closeAllConnections()
    await closed
  }
  return {
    base: (api) => `http://127.0.0.1:${port}/${api === 'gemini' ? 'v1beta' : 'v1'}`,
    asked,
    next: (...replies) => void scripted.push(...replies),
    came: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (asked.length < count) return
          watchers.delete(look)
          resolve()
        }
        watchers.add(look)
        look()
      }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function send(response: ServerResponse, asked: Asked, reply: Reply): void {
  switch (reply.does) {
    case 'nothing':
      return
    case 'hang up':
      response.socket?.resetAndDestroy()
      return
    case 'send':
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(reply.body)
      return
    case 'embed':
    case 'answer': {
      const body = reply.does === 'embed' ? embeddingBody(asked, reply) : modelBody(asked, reply)
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
  }
}
