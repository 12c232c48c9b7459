import { describe, expect, test } from 'vitest'
import { findTarget, pricesSchema, providersFromEnvironment, providersSchema } from './providers.ts'

describe('providers of the environment', () => {
  test('are those that have a key or an address', () => {
    const found = providersFromEnvironment({
      OPENAI_API_KEY: ' sk-1 ',
      ANTHROPIC_API_KEY: 'sk-2',
      GEMINI_API_KEY: '',
    })
    expect(Object.keys(found)).toEqual(['openai', 'anthropic'])
    expect(found['openai']).toEqual({ api: 'openai', base_url: null, api_key: 'sk-1', models: [] })
    expect(findTarget(null, 'chat', { providers: found })).toMatchObject({ name: 'openai', model: 'gpt-4.1-mini' })
    expect(findTarget(null, 'embedding', { providers: found })).toMatchObject({ model: 'text-embedding-3-small' })
  })

  test('at an address of one’s own have no usual model', () => {
    const providers = providersFromEnvironment({ OPENAI_BASE_URL: 'http://localhost:11434/v1/' })
    expect(providers['openai']?.api_key).toBeNull()
    expect(findTarget(null, 'chat', { providers })).toBeUndefined()
    expect(findTarget(null, 'chat', { providers, defaultModel: 'openai/llama3' })).toMatchObject({
      model: 'llama3',
      url: 'http://localhost:11434/v1',
    })
  })
})

test('a provider that is not one is told apart', () => {
  expect(providersSchema.safeParse({ a: { api: 'cohere' } }).success).toBe(false)
  expect(providersSchema.safeParse({ a: { api: 'openai', base_url: 'file:///etc' } }).success).toBe(false)
  expect(providersSchema.safeParse({ 'a/b': { api: 'openai' } }).success).toBe(false)
  expect(providersSchema.safeParse({ a: { api: 'openai', key: 'x' } }).success).toBe(false)
  expect(pricesSchema.safeParse({ m: { input: -1, output: 0 } }).success).toBe(false)
  expect(pricesSchema.parse({ m: { input: 1, output: 0 } })).toEqual({ m: { input: 1, output: 0 } })
})
