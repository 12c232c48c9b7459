import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { LogFile, type LogTold } from '../src/conversations/log-file.ts'
import { folder } from './stage.ts'

const broken = (what: string) => {
  throw new Error(what)
}
const never: LogTold = {
  onBroken: ({ message }) => broken(message),
  onSlow: () => broken('slow'),
  onLost: () => broken('lost'),
}

test('a log is written line by line after what is there, and whole when it is closed', async () => {
  const path = join(folder(), 'events.log')
  for (const n of [1, 2]) {
    const log = await LogFile.open(path, never)
    log.write({ n })
    await log.close()
    log.write({ late: true })
  }
  expect(readFileSync(path, 'utf8')).toBe('{"n":1}\n{"n":2}\n')
})

test('a log on a full disk is told of once, and ends nothing', async () => {
  // Of Linux: a disk that is always full.
  const told: string[] = []
  const log = await LogFile.open('/dev/full', { ...never, onBroken: ({ message }) => void told.push(message) })
  for (let n = 0; n < 3; n++) log.write({ n })
  await log.close()
  log.write({ late: true })
  await log.close()
  expect(told).toEqual([expect.stringContaining('ENOSPC')])
})

test('a log that cannot be opened says so', async () => {
  await expect(LogFile.open(join(folder(), 'missing', 'a.log'), never)).rejects.toThrow('ENOENT')
})

/** A pipe that somebody holds open, and reads when they are told to. */
function pipe() {
  const path = join(folder(), 'slow.log')
  execFileSync('mkfifo', [path])
  const end = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  onTestFinished(() => closeSync(end))
  /** What is in it; empty when that is nothing. */
  const read = (): string => {
    const bytes = Buffer.alloc(65_536)
    try {
      return bytes.toString('utf8', 0, readSync(end, bytes))
    } catch {
      return ''
    }
  }
  return { path, read }
}

test('a log whose lines nobody takes holds a bounded number of them, and counts the others where they would stand', async () => {
  const { path, read } = pipe()
  const told: (string | number)[] = []
  const listener = { ...never, onSlow: () => void told.push('slow'), onLost: (lines: number) => void told.push(lines) }
  const log = await LogFile.open(path, listener, { waitingBytes: 100_000, patienceMs: 120_000 })
  const text = 'x'.repeat(1_000)
  // Each is 1,020 bytes or a few less: 98 fit into what may wait, and none over that, before anything is written.
  let next = 0
  while (next < 300) log.write({ n: next++, text })
  expect(told).toEqual(['slow'])
  let heard = ''
  const until = (isSo: () => boolean) => {
    const look = () => {
      heard += read()
      return isSo()
    }
    return expect.poll(look, { timeout: 60_000 }).toBe(true)
  }
  // There is room again once a part was taken.
  await until(() => {
    if (heard.length > 90_000) log.write({ n: next++ })
    return heard.includes('lines_left_out')
  })
  let isClosed = false
  const closed = log.close().then(() => (isClosed = true))
  await until(() => isClosed)
  await closed
  heard += read()
  const lines = heard
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { n?: number; lines_left_out?: number })
  const kept = lines.filter(({ n }) => n !== undefined).length
  const out = lines.reduce((sum, { lines_left_out: left = 0 }) => sum + left, 0)
  expect(kept + out).toBe(next)
  // What was left out is told where it would stand.
  const place = lines.findIndex(({ lines_left_out: left }) => left !== undefined)
  const [before, mark, after] = lines.slice(place - 1)
  expect((before?.n ?? 0) + (mark?.lines_left_out ?? 0) + 1).toBe(after?.n)
  expect(place).toBeLessThan(110)
  expect(told).toEqual(['slow', out])
})

test('what may wait is a bound to the byte', async () => {
  const line = { n: 1 }
  const size = Buffer.byteLength(`${JSON.stringify(line)}\n`)
  for (const [waitingBytes, left] of [
    [size * 2, 0],
    [size * 2 - 1, 1],
  ] as const) {
    const path = join(folder(), 'events.log')
    let lost = 0
    const listener = { ...never, onSlow: () => undefined, onLost: (lines: number) => void (lost = lines) }
    const log = await LogFile.open(path, listener, { waitingBytes })
    log.write(line)
    log.write(line)
    await log.close()
    expect(lost).toBe(left)
    expect(readFileSync(path, 'utf8').match(/"n"/g)).toHaveLength(2 - left)
  }
})

test('a log that nobody reads is given up in the end, and what is not in it is told', async () => {
  const { path } = pipe()
  const told: number[] = []
  const log = await LogFile.open(path, { ...never, onLost: (lines) => void told.push(lines) }, { patienceMs: 100 })
  const text = 'x'.repeat(10_000)
  for (let n = 0; n < 30; n++) log.write({ n, text })
  await log.close()
  // A pipe holds 64 kB at most on Linux.
  expect(told).toEqual([expect.toSatisfy((lines: number) => lines >= 20 && lines <= 30)])
})
