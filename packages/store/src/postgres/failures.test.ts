import { Failure } from '@llm-eval/protocol'
import { DatabaseError } from 'pg'
import { expect, test } from 'vitest'
import { LostRace, toFailure, translate, Unavailable } from './failures.ts'

function sqlstate(code: string): DatabaseError {
  const error = new DatabaseError('the server said so', 1, 'error')
  error.code = code
  return error
}

test('what the server says of the moment is unavailable storage, with the reason kept for the log', () => {
  const moments = {
    '08006': 'connection failure',
    '25006': 'read-only transaction',
    '25P03': 'idle in transaction timeout',
    '28P01': 'invalid password',
    '3D000': 'no such database',
    '42501': 'insufficient privilege',
    '53100': 'disk full',
    '53200': 'out of memory',
    '53300': 'too many connections',
    '55000': 'takes no connections',
    '55P03': 'lock not available',
    '57014': 'statement timeout',
    '57P01': 'admin shutdown',
    '57P02': 'crash shutdown',
    '57P03': 'cannot connect now',
    '58030': 'I/O error',
    XX001: 'data corrupted',
  }
  for (const [code, name] of Object.entries(moments)) {
    const error = sqlstate(code)
    const failure = toFailure(translate(error))
    expect(failure, name).toBeInstanceOf(Failure)
    expect(failure, name).toMatchObject({ code: 'storage_unavailable', cause: { cause: error } })
  }
})

test('an error that does not come from the server comes from the way to it: the connection is not used again', () => {
  const known = translate(new Error('Connection terminated unexpectedly'))
  expect(known).toBeInstanceOf(Unavailable)
  expect(known).toMatchObject({ disconnected: true })
  for (const code of ['57P01', '25006', '08006'])
    expect(translate(sqlstate(code))).toMatchObject({ disconnected: true })
  for (const code of ['53100', '57014', '55P03'])
    expect(translate(sqlstate(code))).toMatchObject({ disconnected: false })
})

test('a transaction that lost against another is done again, and a collision is known as one', () => {
  expect(translate(sqlstate('40001'))).toMatchObject({ name: 'LostRace', collision: false })
  expect(translate(sqlstate('40P01'))).toMatchObject({ name: 'LostRace', collision: false })
  expect(translate(sqlstate('23505'))).toMatchObject({ name: 'LostRace', collision: true })
  expect(toFailure(new LostRace('again and again'))).toMatchObject({ code: 'storage_unavailable' })
})

test('what the server says of the data stays as it is', () => {
  for (const code of ['22001', '22021', '22P02', '23502', '23514', '42804', '54000', '42P01']) {
    const error = sqlstate(code)
    expect(translate(error)).toBe(error)
    expect(toFailure(error)).toBe(error)
  }
})
