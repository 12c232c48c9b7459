import { expect, test } from 'vitest'
import { parseJson } from '../api/exact-json.ts'
import { writeYaml } from './yaml.ts'

test('objects and lists are nested by their indentation, and empty ones stay what they are', () => {
  const value = {
    name: 'nightly',
    task: { kind: 'http', headers: {} },
    metrics: ['exact-match', { name: 'a b', config: { values: [1, 2.5, null] } }],
    tags: [],
    absent: undefined,
    nested: [[1], [[2, 3]]],
  }
  expect(writeYaml(value)).toBe(`name: nightly
task:
  kind: http
  headers: {}
metrics:
  - exact-match
  - name: "a b"
    config:
      values:
        - 1
        - 2.5
        - null
tags: []
nested:
  - - 1
  - - - 2
      - 3
`)
})

test('what could be taken for anything but text is quoted', () => {
  for (const text of [
    '',
    ' ',
    'true',
    'No',
    'null',
    '1',
    '-1',
    '1e3',
    '~',
    '*a',
    '&a',
    '# x',
    'a: b',
    '- a',
    '*** ',
    '0x1',
    '2025-01-01',
    '{{x}}',
    'a\nb',
    '"',
    'é',
    '=',
    '<<',
  ])
    expect(writeYaml(text)).toBe(`${JSON.stringify(text)}\n`)
  expect(writeYaml({ 'a b': 1, on: 2 })).toBe('"a b": 1\n"on": 2\n')
})

test('numbers keep their digits', () => {
  expect(writeYaml(parseJson('{"big": 12345678901234567890}'))).toBe('big: 12345678901234567890\n')
})
