import { describe, expect, test } from 'vitest'
import { ask } from '../src/index.ts'
import { answering, options, scriptedAgent } from './scripted-agent.ts'

describe('where an answer of its own shape says what', () => {
  test.each([
    ['output', { output: '$[' }],
    ['tool_calls', { output: '$.said', tool_calls: '$.calls[?' }],
  ])('is no path: %s is named before the agent is asked', async (name, response) => {
    const { url, got } = await scriptedAgent(answering('{"said":"Hello"}'))
    const { fault } = await ask({ url, response }, [{ query: 'x' }], options())
    expect(fault).toMatchObject({ code: 'invalid_request' })
    expect(fault?.message).toContain(`(response.${name}) is no JSONPath`)
    expect(got).toEqual([])
  })
})
