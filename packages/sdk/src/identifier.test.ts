import { afterEach, describe, expect, it } from 'vitest'
import { newIdentifier } from './identifier.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('an identifier', () => {
  afterEach(() => {
    Reflect.deleteProperty(crypto, 'randomUUID')
  })

  it('is a random UUID, never the same', () => {
    const ids = Array.from({ length: 1_000 }, newIdentifier)
    expect(new Set(ids).size).toBe(1_000)
    for (const id of ids) expect(id).toMatch(uuid)
  })

  it('is one too where a browser keeps randomUUID from pages without https', () => {
    Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true })
    expect(Reflect.get(crypto, 'randomUUID')).toBeUndefined()
    const ids = Array.from({ length: 1_000 }, newIdentifier)
    expect(new Set(ids).size).toBe(1_000)
    for (const id of ids) expect(id).toMatch(uuid)
  })
})
