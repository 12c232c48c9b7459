import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { Screen } from '../terminal.ts'
import { prettyLog } from './log.ts'

test('an entry becomes one line for people; what the banner says already is left out', () => {
  let text = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  const log = prettyLog(new Screen(stream, {}))
  log.write('{"level":30,"time":1700000000000,"url":"http://x","msg":"listening"}\n')
  expect(text).toBe('')
  log.write(
    '{"level":50,"time":1700000000000,"err":{"message":"disk\\nfull \\u001b[31m","stack":"…"},"project":7,"msg":"commit failed"}\n',
  )
  expect(text).toMatch(/^\d\d:\d\d:\d\d error commit failed project=7 \(disk full \\u001b\[31m\)\n$/)
})
