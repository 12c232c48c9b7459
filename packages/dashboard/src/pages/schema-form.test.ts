import type { Field } from '@llm-eval/protocol'
import { expect, test } from 'vitest'
import { type ConfigField, readConfig, readInput } from './schema-form.ts'

const field = (name: string): Field => ({ name, type: 'string', description: '', required: false })
const option = (name: string): ConfigField => ({ name, description: '', kind: 'text', choices: [], initial: '' })

test('a field that is called like a member of objects is empty until something is typed into it', () => {
  const names = ['constructor', 'toString', 'valueOf']
  expect(readInput(names.map(field), {})).toEqual({ values: {} })
  expect(readConfig(names.map(option), {})).toEqual({ values: {} })
  expect(readInput(names.map(field), { toString: 'typed' })).toEqual({ values: { toString: 'typed' } })
})
