// As much of curl as the guides need, for machines that have none.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'

const words = process.argv.slice(2)
/** @type {[string, string][]} */
const headers = []
/** @type {{ url: string, method?: string, body?: string, head: boolean, fails: boolean }} */
const call = { url: '', head: false, fails: false }
const next = () => words.shift() ?? ''

for (let word = words.shift(); word !== undefined; word = words.shift()) {
  if (word === '-H') {
    const [, name = '', value = ''] = /^([^:]+): *(.*)$/.exec(next()) ?? []
    headers.push([name, value])
  } else if (word === '-X') call.method = next()
  else if (word === '-d') call.body = next()
  else if (word === '--data-binary') {
    const given = next()
    call.body = given.startsWith('@') ? readFileSync(given === '@-' ? 0 : given.slice(1), 'utf8') : given
  } else if (word === '-u') headers.push(['authorization', `Basic ${btoa(next())}`])
  else if (/^-[sSNif]+$/.test(word)) {
    call.head ||= word.includes('i')
    call.fails ||= word.includes('f')
  } else call.url = word
}
if (call.body !== undefined && !headers.some(([name]) => name.toLowerCase() === 'content-type')) {
  headers.push(['content-type', 'application/x-www-form-urlencoded'])
}
const method = call.method ?? (call.body === undefined ? 'GET' : 'POST')
// Not fetch, which sorts the headers and keeps Origin to itself.
const asked = request(call.url, { method, headers: Object.fromEntries(headers) })
asked.end(call.body)
/** @type {import('node:http').IncomingMessage} */
const answer = (await once(asked, 'response'))[0]
if (call.head) {
  const lines = answer.rawHeaders.flatMap((name, at) => (at % 2 === 0 ? `${name}: ${answer.rawHeaders[at + 1]}` : []))
  process.stdout.write([`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`, ...lines, '', ''].join('\r\n'))
}
for await (const chunk of answer) process.stdout.write(chunk)
if (call.fails && (answer.statusCode ?? 0) >= 400) process.exitCode = 22
