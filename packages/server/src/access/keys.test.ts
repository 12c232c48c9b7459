import { describe, expect, it } from 'vitest'
import { generateKey, generateToken, hashSecret, isWellFormedKey, keyPrefix } from './keys.ts'

describe('an API key', () => {
  it('has the prefix, 43 digits for 256 bits and a checksum of 6, all base62', () => {
    for (let i = 0; i < 200; i++) expect(generateKey()).toMatch(/^llmeval_[0-9A-Za-z]{49}$/)
  })

  it('is new each time', () => {
    expect(new Set(Array.from({ length: 500 }, generateKey)).size).toBe(500)
  })

  it('is recognised as well formed', () => {
    for (let i = 0; i < 200; i++) expect(isWellFormedKey(generateKey())).toBe(true)
  })

  it('is told from one with any single character changed', () => {
    const key = generateKey()
    for (let at = 'llmeval_'.length; at < key.length; at++) {
      const other = key[at] === 'A' ? 'B' : 'A'
      expect(isWellFormedKey(key.slice(0, at) + other + key.slice(at + 1))).toBe(false)
    }
  })

  it('is told from one that was cut, extended, padded or given another prefix', () => {
    const key = generateKey()
    for (const wrong of [key.slice(0, -1), `${key}0`, ` ${key}`, `${key}\n`, key.replace('llmeval', 'lmseval'), '']) {
      expect(isWellFormedKey(wrong)).toBe(false)
    }
  })

  it('shows too little of itself in lists to be guessed', () => {
    const key = generateKey()
    expect(key.startsWith(keyPrefix(key))).toBe(true)
    expect(keyPrefix(key)).toHaveLength('llmeval_'.length + 6)
  })

  it('is kept as its SHA-256', () => {
    expect(hashSecret('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
})

describe('a token', () => {
  it('has 256 random bits and needs no escaping in a URL', () => {
    expect(generateToken()).toMatch(/^[\w-]{43}$/)
    expect(generateToken()).not.toBe(generateToken())
  })
})
