import { describe, expect, it } from 'vitest'
import { errorOf, statusOfOutcome, titleOf } from './conversation-words.ts'

describe('the words of a conversation', () => {
  it('have a title of one line and at most 100 characters', () => {
    expect(titleOf(' What\n\n is\t this? ')).toBe('What is this?')
    expect([titleOf('x'.repeat(100)), titleOf('x'.repeat(101))]).toEqual(['x'.repeat(100), 'x'.repeat(100)])
    expect(titleOf(' \n')).toBe('')
  })

  it('say what went wrong, as far as anybody said it, in at most 2,000 characters', () => {
    expect(errorOf('429', 'too many')).toBe('429: too many')
    expect([errorOf(null, 'broken'), errorOf('', undefined, 429, {})]).toEqual(['broken', null])
    expect([errorOf('x'.repeat(2_000)), errorOf('x'.repeat(2_001))]).toEqual(['x'.repeat(2_000), 'x'.repeat(2_000)])
  })

  it('tell a request that waits from one that is over, and from one that nobody wants any more', () => {
    const success = { type: 'success' }
    expect([undefined, null, 'done', {}, success].map(statusOfOutcome)).toEqual(Array(5).fill('finished'))
    expect(statusOfOutcome({ ...success, pendingToolCallIds: [] })).toBe('finished')
    expect(statusOfOutcome({ ...success, pendingToolCallIds: ['c'] })).toBe('waiting')
    expect(statusOfOutcome({ type: 'interrupt', interrupts: [] })).toBe('waiting')
    expect(statusOfOutcome({ type: 'cancelled', pendingToolCallIds: ['c'] })).toBe('cancelled')
  })
})
