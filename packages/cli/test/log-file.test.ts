import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LogFile } from '../src/conversations/log-file.ts'
import { folder } from './stage.ts'

const never = (error: Error) => {
  throw error
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
  const log = await LogFile.open('/dev/full', ({ message }) => void told.push(message))
  for (let n = 0; n < 3; n++) log.write({ n })
  await log.close()
  log.write({ late: true })
  await log.close()
  expect(told).toEqual([expect.stringContaining('ENOSPC')])
})

test('a log that cannot be opened says so', async () => {
  await expect(LogFile.open(join(folder(), 'missing', 'a.log'), never)).rejects.toThrow('ENOENT')
})
