import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { folder } from './stage.ts'

/** What an agent does with a message: events, or a whole answer. */
export type Behave = (message: string, nth: number) => object | object[] | null

/** A real agent on loopback, whose ways can be changed; null is an answer that breaks off. */
export async function startAgent(first: Behave) {
  let behave = first
  let asked = 0
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { message } = JSON.parse(body) as { message: string }
      const answer = behave(message, ++asked)
      if (answer === null) return response.destroy()
      if (Array.isArray(answer)) return response.end(answer.map((event) => `${JSON.stringify(event)}\n`).join(''))
      return response.end(JSON.stringify(answer))
    })
  })
  const listening = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', listening.resolve)
  await listening.promise
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/chat`,
    asked: () => asked,
    becomes: (next: Behave) => (behave = next),
    stop: () => new Promise((resolve) => server.close(resolve)),
  }
}

/** A folder with these files. */
export function place(files: Record<string, string>): string {
  const cwd = folder()
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), content)
  }
  return cwd
}

/** An event of level 3. */
export const event = (type: string, data: object) => ({ type, data })
export const call = (name: string, args: object = {}) => event('tool_call', { name, args })
export const said = (content: string) => event('message_complete', { content })

/** Two cases, and an agent that passes both. */
export const stocks = `
cases:
  - name: Price
    tags: [smoke]
    query: What is AAPL at?
    expected: {tools: [quote], forbidden_tools: [delete_all], output: {contains: [AAPL]}}
  - name: Compare
    query: Compare AAPL and MSFT
    expected: {tools: [quote, compare]}
`
export const good: Behave = (message) => [
  call('quote', { symbol: 'AAPL' }),
  ...(message.startsWith('Compare') ? [call('compare')] : []),
  said('AAPL is at 266.'),
]
