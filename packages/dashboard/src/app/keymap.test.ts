import { describe, expect, test } from 'vitest'
import { type Binding, createMatcher, isForPage, keyLabels, strokeName } from './keymap.ts'

const stroke = (key: string, held: { ctrlKey?: boolean; metaKey?: boolean; altKey?: boolean } = {}): string =>
  strokeName({ key, ctrlKey: false, metaKey: false, altKey: false, ...held })

const binding = (...keys: string[]): Binding => ({ keys, does: keys.join(), run: () => {} })

test('Ctrl and Cmd are the same modifier, and shift is in the key', () => {
  expect(stroke('k', { ctrlKey: true })).toBe('mod+k')
  expect(stroke('K', { metaKey: true })).toBe('mod+k')
  expect(stroke('?')).toBe('?')
  expect(stroke('ArrowLeft', { altKey: true })).toBe('alt+ArrowLeft')
})

describe('a stroke is for the page', () => {
  const free = { typing: false, pressable: false, covered: false }

  test('when nobody types and nothing covers it', () => {
    expect(isForPage('a', free)).toBe(true)
  })

  test('not while somebody types, except with Ctrl or Cmd', () => {
    expect(isForPage('a', { ...free, typing: true })).toBe(false)
    expect(isForPage('mod+k', { ...free, typing: true })).toBe(true)
    expect(isForPage('mod+Enter', { ...free, typing: true })).toBe(false)
  })

  test('not while a dialog or a menu is open', () => {
    expect(isForPage('a', { ...free, covered: true })).toBe(false)
    expect(isForPage('mod+k', { ...free, covered: true })).toBe(false)
  })

  test('not when it presses the button that has the focus', () => {
    expect(isForPage('Enter', { ...free, pressable: true })).toBe(false)
    expect(isForPage(' ', { ...free, pressable: true })).toBe(false)
    expect(isForPage('a', { ...free, pressable: true })).toBe(true)
  })
})

test('every key has a label', () => {
  expect(keyLabels(' ', false)).toEqual(['Space'])
})

describe('bindings', () => {
  const sets = [
    [binding('g t'), binding('g l'), binding('t'), binding('a')],
    [binding('a'), binding('j', 'ArrowDown')],
  ]

  test('are found by any of their keys, the latest set first', () => {
    const match = createMatcher()
    expect(match('a', sets, 0)).toBe(sets[1]?.[0])
    expect(match('ArrowDown', sets, 0)).toBe(sets[1]?.[1])
    expect(match('z', sets, 0)).toBeUndefined()
  })

  test('of two strokes want both, one soon after the other', () => {
    const match = createMatcher()
    expect(match('g', sets, 0)).toBeUndefined()
    expect(match('t', sets, 500)?.does).toBe('g t')
    expect(match('g', sets, 10_000)).toBeUndefined()
    expect(match('t', sets, 20_000)?.does).toBe('t')
  })

  test('of two strokes are not found by the second stroke of another pair', () => {
    const match = createMatcher()
    match('g', sets, 0)
    expect(match('t', sets, 100)?.does).toBe('g t')
    expect(match('t', sets, 200)?.does).toBe('t')
  })
})

test('keys are shown as they stand on the keyboard', () => {
  expect(keyLabels('mod+k', true)).toEqual(['⌘', 'K'])
  expect(keyLabels('mod+k', false)).toEqual(['Ctrl', 'K'])
  expect(keyLabels('g t', false)).toEqual(['G', 'T'])
  expect(keyLabels('ArrowRight', false)).toEqual(['→'])
})
