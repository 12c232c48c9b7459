import * as z from 'zod'
import { describe, expect, it } from 'vitest'
import { faultsOf } from './faults.ts'

const schema = z.strictObject({
  limit: z.number().optional(),
  traces: z.array(z.object({ cost: z.number(), name: z.string() })).optional(),
  who: z
    .union([z.strictObject({ key: z.string() }), z.strictObject({ token: z.string(), code: z.string() })])
    .optional(),
})

const faults = (value: unknown) => faultsOf(schema.safeParse(value).error?.issues ?? [], schema)

describe('the faults of a request', () => {
  it('name their place as JavaScript does', () => {
    expect(
      faults({
        traces: [
          { cost: 1, name: 'a' },
          { cost: 'x', name: 'a' },
        ],
      }),
    ).toEqual([{ path: 'traces[1].cost', message: 'must be of type number, not string' }])
  })

  it('say that something is missing rather than undefined', () => {
    expect(faults({ traces: [{ cost: 1 }] })).toEqual([{ path: 'traces[0].name', message: 'is required' }])
  })

  it('suggest the name that a mistyped one resembles', () => {
    expect(faults({ limt: 1, elephant: 1 })).toEqual([
      { path: 'limt', message: 'is not known; did you mean limit?' },
      { path: 'elephant', message: 'is not known' },
    ])
  })

  it('are told up to a hundred, however many there are', () => {
    const unknown = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`unknown${i}`, i]))
    expect(faults(unknown)).toHaveLength(100)
    expect(faults({ traces: Array.from({ length: 20_000 }, () => 1) })).toHaveLength(100)
    expect(faults({ ['x'.repeat(5_000)]: 1 })).toEqual([{ path: 'x'.repeat(100), message: 'is not known' }])
  })

  it('speak of the alternative that came nearest', () => {
    expect(faults({ who: { key: 1 } })).toEqual([{ path: 'who.key', message: 'must be of type string, not number' }])
  })
})
