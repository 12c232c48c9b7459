import { describe, expect, it } from 'vitest'
import { Failure, type FailureCode, failureTable } from './failures.ts'

const codes = Object.keys(failureTable) as FailureCode[]

describe('the failure table', () => {
  it.each(codes)('%s has an error status, a sentence for what happened and one for what to do', (code) => {
    const row = failureTable[code]
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/)
    expect(row.status).toBeGreaterThanOrEqual(400)
    expect(row.status).toBeLessThan(600)
    expect(row.says).toMatch(/^(\{|[A-Z]).*[.}]$/)
    expect(row.next).toMatch(/^[A-Z].*\.$/)
  })

  it.each(codes)('%s fills its places with values and leaves none when all are given', (code) => {
    const { says, next } = failureTable[code]
    const names = [...`${says} ${next}`.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
    const failure = new Failure(code, { values: Object.fromEntries(names.map((name) => [name, `<${name}>`])) })
    expect(`${failure.message} ${failure.next}`).not.toMatch(/[{}]/)
    for (const name of names) expect(`${failure.message} ${failure.next}`).toContain(`<${name}>`)
  })

  it('every code that means "try again" is 429 or 503, so that clients know by the status', () => {
    const again = codes.filter((code) => /Retry-After/.test(failureTable[code].next))
    expect(again.length).toBeGreaterThan(0)
    for (const code of again) expect([429, 503]).toContain(failureTable[code].status)
  })
})

describe('a failure', () => {
  it('carries code, status, faults, the wait and the cause', () => {
    const cause = new Error('disk full')
    const errors = [{ path: 'traces[3].cost', message: 'must not be negative' }]
    const failure = new Failure('storage_unavailable', { errors, retryAfter: 2, cause })
    expect(failure).toBeInstanceOf(Error)
    expect(failure).toMatchObject({
      name: 'Failure',
      code: 'storage_unavailable',
      status: 503,
      errors,
      retryAfter: 2,
      cause,
    })
  })

  it('has no faults, no wait and no cause unless they are given', () => {
    const failure = new Failure('trace_not_found')
    expect(failure.errors).toEqual([])
    expect(failure.retryAfter).toBeUndefined()
    expect('cause' in failure).toBe(false)
  })

  it('fills a place with a number, and leaves one it has no value for as it is', () => {
    const failure = new Failure('batch_too_large', { values: { max: 100 } })
    expect(failure.message).toBe('A batch may hold at most 100 traces; this one has {count}.')
  })

  it('does not fill places inside values', () => {
    const failure = new Failure('malformed_json', { values: { detail: 'unexpected {detail}' } })
    expect(failure.message).toBe('The body is not valid JSON: unexpected {detail}')
  })
})
