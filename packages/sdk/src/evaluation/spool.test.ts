import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Spool } from './spool.ts'

const move = fc.oneof(
  { weight: 3, arbitrary: fc.record({ push: fc.string({ unit: 'grapheme', maxLength: 40 }) }) },
  fc.record({ take: fc.integer({ min: 1, max: 9 }), bytes: fc.integer({ min: 1, max: 200 }) }),
)

describe('texts that wait', () => {
  it('come out as they went in, in their order, whether they waited in memory or in a file', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.array(move, { maxLength: 100 }), (memory, moves) => {
        const spool = new Spool(memory)
        const waiting: string[] = []
        for (const one of moves) {
          if ('push' in one) {
            spool.push(one.push)
            waiting.push(one.push)
            continue
          }
          const taken = spool.peek(one.take, one.bytes)
          expect(taken).toEqual(waiting.slice(0, taken.length))
          expect(taken.length).toBeLessThanOrEqual(one.take)
          expect(taken.length > 0).toBe(waiting.length > 0)
          if (taken.length > 1) expect(Buffer.byteLength(taken.join(''))).toBeLessThanOrEqual(one.bytes)
          spool.drop(taken.length)
          waiting.splice(0, taken.length)
          expect(spool.length).toBe(waiting.length)
        }
        spool.close()
      }),
    )
  })

  it('take a file for no longer than it is needed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'spool-test-'))
    const spool = new Spool(10, folder)
    spool.push('0123456789')
    expect(readdirSync(folder)).toEqual([])
    for (let index = 0; index < 100; index++) spool.push(`text ${index}`)
    // A process that is killed leaves nothing behind: the file has no name any more.
    expect(readdirSync(folder)).toHaveLength(process.platform === 'win32' ? 1 : 0)
    expect(spool.spilled).toBe(true)
    const taken: string[] = []
    while (spool.length > 0) {
      taken.push(...spool.peek(10, 1_000))
      spool.drop(spool.peek(10, 1_000).length)
    }
    expect(taken).toEqual(['0123456789', ...Array.from({ length: 100 }, (_, index) => `text ${index}`)])
    expect(spool.spilled).toBe(false)
    spool.close()
    expect(readdirSync(folder)).toEqual([])
    rmSync(folder, { recursive: true })
  })
})
