import type { Field } from '@llm-eval/protocol'
import { describe, expect, it } from 'vitest'
import { resolveInput } from './input.ts'

const field = (name: string, more: Partial<Field> = {}): Field => ({
  name,
  type: 'string',
  description: '',
  required: true,
  ...more,
})
const inputOf = (fields: Field[], raw: Record<string, unknown>) => resolveInput(fields, raw).input
const names = ({ missing }: { missing: Field[] }) => missing.map(({ name }) => name)

describe('a field is found', () => {
  it.each([
    [{ ground_truth: 'x' }],
    [{ groundTruth: 'x' }],
    [{ 'ground-truth': 'x' }],
    [{ GroundTruth: 'x' }],
    [{ 'Ground Truth': 'x' }],
  ])('however it is spelled: %j', (raw) => {
    expect(inputOf([field('ground_truth')], raw)).toEqual({ ground_truth: 'x' })
  })

  it('by its exact name first', () => {
    const raw = { groundTruth: 'camel', reference: 'synonym', ground_truth: 'exact' }
    expect(inputOf([field('ground_truth')], raw)).toEqual({ ground_truth: 'exact' })
    expect(inputOf([field('ground_truth')], { ...raw, ground_truth: null })).toEqual({ ground_truth: 'camel' })
  })

  it.each(['text', 'completion', 'answer', 'response', 'output'])('by the synonym %s', (name) => {
    for (const other of ['text', 'completion', 'answer', 'response', 'output'])
      expect(inputOf([field(other)], { [name]: 'x' })).toEqual({ [other]: 'x' })
  })

  it.each([
    ['reference', ['ground_truth', 'expected', 'context']],
    ['question', ['prompt', 'instructions', 'query', 'input']],
    ['prompts', ['trajectory_prompts']],
    ['completions', ['trajectory_completions']],
    ['latency', ['response_time_ms', 'latency_ms']],
    ['tool_calls', ['executed_tool_calls', 'functions_called']],
  ])('%s under %j', (name, others) => {
    for (const other of others) {
      expect(inputOf([field(name)], { [other]: 'x' })).toEqual({ [name]: 'x' })
      expect(inputOf([field(other)], { [name]: 'x' })).toEqual({ [other]: 'x' })
    }
  })

  it('by the same synonym each time, whatever the order of what was sent', () => {
    const one = inputOf([field('response')], { text: 't', output: 'o', answer: 'a' })
    const other = inputOf([field('response')], { answer: 'a', output: 'o', text: 't' })
    expect(one).toEqual({ response: 'a' })
    expect(other).toEqual(one)
  })

  it('never by the name of another field, nor twice by the same one', () => {
    const fields = [field('completion'), field('answer'), field('question')]
    const resolved = resolveInput(fields, { answer: 'a', query: 'q' })
    expect(resolved.input).toEqual({ answer: 'a', question: 'q' })
    expect(names(resolved)).toEqual(['completion'])
    expect(names(resolveInput([field('text'), field('response')], { output: 'o' }))).toEqual(['response'])
  })

  it('not by a synonym where it is optional', () => {
    expect(inputOf([field('context', { required: false })], { reference: 'x' })).toEqual({})
  })

  it('unless it is null, and nothing that nobody asked for comes along', () => {
    expect(resolveInput([field('text')], { text: null, more: 1 })).toMatchObject({ input: {}, faults: [] })
    expect(inputOf([field('text')], { text: '' })).toEqual({ text: '' })
  })

  it('not in what every object inherits', () => {
    expect(names(resolveInput([field('constructor'), field('toString')], {}))).toEqual(['constructor', 'toString'])
  })
})

describe('a value is taken', () => {
  it.each([
    ['string', 42, '42'],
    ['string', { a: 1 }, '{"a":1}'],
    ['string', false, 'false'],
    ['number', '3.5', 3.5],
    ['integer', '3', 3],
    ['boolean', 'true', true],
    ['array', '[1, 2]', [1, 2]],
    ['object', '{"a": 1}', { a: 1 }],
    ['any', '[1]', '[1]'],
  ] as const)('as %s: %j', (type, value, expected) => {
    expect(inputOf([field('x', { type })], { x: value })).toEqual({ x: expected })
  })

  it.each([
    ['number', 'many', 'must be of type number, not string'],
    ['number', '', 'must be of type number, not string'],
    ['number', 'Infinity', 'must be of type number, not string'],
    ['integer', 1.5, 'must be of type integer, not number'],
    ['boolean', 1, 'must be of type boolean, not number'],
    ['array', '{"a": 1}', 'must be of type array, not object'],
    ['array', '[1', 'must be of type array, not string'],
    ['object', [], 'must be of type object, not array'],
    ['enum', 'c', 'must be one of a, b'],
  ] as const)('never as %s: %j', (type, value, message) => {
    const { faults, input } = resolveInput([field('x', { type, enum_values: ['a', 'b'] })], { x: value })
    expect(faults).toEqual([{ path: 'input.x', message }])
    expect(input).toEqual({})
  })
})
