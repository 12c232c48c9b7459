import { type EvaluatorInfo, limits, type Run, type RunTask } from '@llm-eval/protocol'
import { describe, expect, test } from 'vitest'
import { ApiError } from '../api/client.ts'
import { draftOf, emptyDraft, type RunDraft, splitTags } from './new-run-draft.ts'
import { faultsOfAnswer } from './new-run-faults.ts'
import { readDraft } from './new-run-request.ts'

const catalogue: EvaluatorInfo[] = ['contains', 'exact-match'].map((slug) => ({
  slug,
  name: slug,
  description: '',
  kind: 'code',
  category: 'text',
  source: 'builtin',
  version: '1',
  pinned: true,
  aliases: [],
  needs: [],
  provider: 'none',
  input_schema: [],
  output_schema: [],
  config_schema: { properties: { values: { type: 'array' }, case_sensitive: { type: 'boolean' } } },
  range: { min: 0, max: 1 },
  direction: 'higher',
  example: null,
  created_at: null,
  updated_at: null,
}))

const filled: RunDraft = {
  ...emptyDraft,
  name: 'A run',
  dataset: 'questions',
  column: 'answer',
  metrics: [{ evaluator: 'exact-match', name: '', config: {} }],
}

const bodyOf = (draft: Partial<RunDraft>) => {
  const read = readDraft({ ...filled, ...draft }, catalogue)
  if (read.faults) throw new Error(JSON.stringify(read.faults))
  return read.body
}
const faultsOf = (draft: Partial<RunDraft>) => readDraft({ ...filled, ...draft }, catalogue).faults ?? {}

describe('a draft', () => {
  test('becomes a request in which what is empty is absent', () => {
    expect(bodyOf({})).toEqual({
      name: 'A run',
      dataset: 'questions',
      task: { kind: 'outputs', column: 'answer' },
      metrics_used: [{ name: 'exact-match', evaluator: 'exact-match' }],
      settings: { repetitions: 1, concurrency: 10, timeout_ms: 120_000, retries: 0 },
      tags: [],
      config: {},
      metadata: {},
    })
  })

  test('turns seconds and minutes into milliseconds, texts into numbers and lists, and metadata into JSON', () => {
    const body = bodyOf({
      timeout: '1.5',
      maxCost: '2.50',
      maxMinutes: '90',
      decideOn: 'right',
      threshold: '0.8',
      tags: 'a, b,a,, c ',
      metadata: '{"commit": "1a"}',
      metrics: [{ evaluator: 'contains', name: ' right ', config: { values: '["x"]', case_sensitive: 'true' } }],
    })
    expect(body.settings).toMatchObject({
      timeout_ms: 1_500,
      limits: { cost: 2.5, duration_ms: 5_400_000 },
      decision: { metric: 'right', threshold: 0.8 },
    })
    expect(body.tags).toEqual(['a', 'b', 'c'])
    expect(body.metadata).toEqual({ commit: '1a' })
    expect(body.metrics_used).toEqual([
      { name: 'right', evaluator: 'contains', config: { values: ['x'], case_sensitive: true } },
    ])
  })

  test.each<[string, Partial<RunDraft>]>([
    ['name', { name: ' ' }],
    ['dataset', { dataset: '' }],
    ['task.column', { column: '' }],
    ['task.url', { kind: 'http', url: 'app.example.com' }],
    ['task.headers', { kind: 'http', url: 'http://a.b', headers: 'authorization: ' }],
    ['task.headers', { kind: 'http', url: 'http://a.b', headers: 'nonsense' }],
    ['task.template', { kind: 'prompt', template: '' }],
    ['metrics_used', { metrics: [] }],
    ['metrics_used[0].config.values', { metrics: [{ evaluator: 'contains', name: '', config: { values: '[' } }] }],
    ['settings.repetitions', { repetitions: '0' }],
    ['settings.repetitions', { repetitions: '1.5' }],
    ['settings.repetitions', { repetitions: String(limits.runRepetitions + 1) }],
    ['settings.concurrency', { concurrency: String(limits.runConcurrency + 1) }],
    ['settings.timeout_ms', { timeout: String(limits.runTimeoutMs / 1_000 + 1) }],
    ['settings.timeout_ms', { timeout: 'soon' }],
    ['settings.retries', { retries: String(limits.runRetries + 1) }],
    ['settings.limits.cost', { maxCost: '0' }],
    ['settings.limits.duration_ms', { maxMinutes: '-1' }],
    ['settings.decision.metric', { decideOn: 'gone', threshold: '0.5' }],
    ['settings.decision.threshold', { decideOn: 'exact-match' }],
    ['settings.decision.level', { decideOn: 'exact-match', threshold: '0.5', level: '1' }],
    ['metadata', { metadata: '[1]' }],
    ['metadata', { metadata: '{' }],
    ['config', { config: '1' }],
  ])('names the field %s when it is wrong: %j', (path, draft) => {
    expect(Object.keys(faultsOf(draft))).toEqual([path])
  })

  test('at its limits is right', () => {
    const most = {
      repetitions: limits.runRepetitions,
      concurrency: limits.runConcurrency,
      timeout: limits.runTimeoutMs / 1_000,
      retries: limits.runRetries,
    }
    const texts = Object.fromEntries(Object.entries(most).map(([name, value]) => [name, String(value)]))
    expect(faultsOf({ ...texts, decideOn: 'exact-match', threshold: '1' })).toEqual({})
  })

  test('may use an evaluator twice under two names, and not under one', () => {
    const twice = (name: string) => [
      { evaluator: 'contains', name: '', config: {} },
      { evaluator: 'contains', name, config: {} },
    ]
    expect(faultsOf({ metrics: twice('other') })).toEqual({})
    expect(Object.keys(faultsOf({ metrics: twice('contains') }))).toEqual(['metrics_used[1].name'])
  })
})

const before: Run = {
  run_id: 'before',
  name: 'Before',
  description: null,
  status: 'completed',
  stopped_by: null,
  error: null,
  dataset_id: 'd1',
  dataset_name: 'Questions',
  dataset_version: 'v2',
  task: { kind: 'outputs', column: 'answer' },
  metrics_used: [{ name: 'right', evaluator: 'contains', config: { values: ['x'], case_sensitive: false } }],
  settings: {
    concurrency: 3,
    timeout_ms: 2_500,
    retries: 2,
    repetitions: 4,
    limits: { cost: 1.25, duration_ms: 60_000 },
    decision: { metric: 'right', threshold: 0, level: 0.9 },
  },
  config: { prompt: 'v2' },
  model_name: 'a-model',
  model_version: null,
  task_type: null,
  environment: 'staging',
  tags: ['a', 'b'],
  metadata: { deep: [1] },
  created_by: null,
  approval: null,
  created_at: '',
  updated_at: '',
  started_at: null,
  ended_at: null,
  duration_ms: null,
  total_items: null,
  completed_items: 0,
  successful_items: 0,
  success_rate: null,
  cost: 0,
  unknown_costs: 0,
  metrics: {},
}

describe('a run that is done again', () => {
  test.each<RunTask>([
    { kind: 'outputs', column: 'answer' },
    { kind: 'http', url: 'http://a.b/c', output: 'choices.0' },
    { kind: 'prompt', template: 'Say {{input}}\n', system: 'Be brief.', model: 'a/b' },
  ])('is asked for in the same words: %j', (task) => {
    const read = readDraft(draftOf({ ...before, task }, 'questions'), catalogue)
    expect(read).toEqual({
      body: {
        name: 'Before',
        dataset: 'questions',
        dataset_version: 'v2',
        task,
        metrics_used: before.metrics_used,
        settings: before.settings,
        tags: ['a', 'b'],
        model_name: 'a-model',
        environment: 'staging',
        config: { prompt: 'v2' },
        metadata: { deep: [1] },
      },
    })
  })

  test('never sends the mask of a header as its value', () => {
    const draft = draftOf({ ...before, task: { kind: 'http', url: 'http://a.b', headers: { 'x-key': '***' } } }, 'q')
    expect(draft.headers).toBe('x-key: ')
    expect(Object.keys(readDraft(draft, catalogue).faults ?? {})).toEqual(['task.headers'])
  })
})

describe('what the server refuses', () => {
  const refused = (places: { path: string; message: string }[], rest: Partial<ApiError> = {}) =>
    faultsOfAnswer(new ApiError('It does not fit.', { status: 422, next: 'Mend it.', places, ...rest }))

  test('stands at the field that it is about', () => {
    expect(
      refused([
        { path: 'task.url', message: 'must be an address' },
        { path: 'task.headers.x-key', message: 'must be printable' },
        { path: 'metrics_used[1].config.values[0]', message: 'must be a text' },
        { path: 'metrics_used[0].evaluator', message: 'is not known' },
        { path: 'tags[3]', message: 'is too long' },
        { path: 'tags[4]', message: 'is too long' },
        { path: 'dataset', message: 'makes too many' },
        { path: 'datasets', message: 'is strange' },
        { path: 'settings.decision.metric', message: 'must be a metric' },
      ]),
    ).toEqual({
      'task.url': 'must be an address',
      'task.headers': 'must be printable',
      'metrics_used[1].config.values': 'must be a text',
      'metrics_used[0]': 'is not known',
      tags: 'is too long is too long',
      dataset: 'makes too many',
      'settings.decision.metric': 'must be a metric',
      '': 'datasets is strange',
    })
  })

  test('without a field stands where its code belongs, or with the form', () => {
    expect(refused([], { code: 'address_refused' })).toEqual({ 'task.url': 'It does not fit. Mend it.' })
    expect(refused([], { code: 'limit_reached' })).toEqual({ '': 'It does not fit. Mend it.' })
  })
})

test('tags are told apart by commas, each once', () => {
  expect(splitTags(' a , b b ,,a')).toEqual(['a', 'b b'])
})
