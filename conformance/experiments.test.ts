import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { type Scene, setScene } from './scene.ts'

let scene: Scene
beforeAll(async () => {
  const about = 'An experiment with several evaluators, its exports, a run of a pull request, and feedback of a user.'
  scene = await setScene({ cassette: { name: 'experiments', about } })
  const { datasets } = scene.client
  await datasets.create({ name: 'qa set' })
  await (await datasets.get('qa-set')).addColumn([
    { name: 'question', type: 'string' },
    { name: 'Expected answer', type: 'string' },
  ])
  const set = await datasets.get('qa-set')
  await set.addRows([
    { question: 'Capital of France?', 'Expected answer': 'Paris' },
    { question: '2 + 2, as a word?', 'Expected answer': 'four' },
    { question: 'Colour of the sky?', 'Expected answer': 'blue' },
  ])
  await set.publish()
})
afterAll(() => scene[Symbol.asyncDispose]())

const answers: Record<string, string> = { 'Capital of France?': 'Paris', '2 + 2, as a word?': 'five' }

/** Answers a row of the dataset; fails on one of them. */
async function answer(row: Record<string, unknown>): Promise<Record<string, unknown>> {
  const text = answers[String(row['question'])]
  if (text === undefined) throw new Error('I do not know')
  return { completion: text, reference: row['expected-answer'], question: row['question'], steps: [1, 2] }
}

/** What the export of the last run says, in the SDK's spelling. */
async function exported(): Promise<unknown> {
  return JSON.parse(await scene.client.experiment.toJsonString())
}

describe("the SDK's experiment", () => {
  it('runs a task on every row and several evaluators on every output', async () => {
    const outcome = await scene.client.experiment.run(answer, {
      datasetSlug: 'qa-set',
      datasetVersion: 'v1',
      experimentSlug: 'exp-a',
      evaluators: ['exact-match', { name: 'regex-validator', config: { regex: '^P' } }, { name: 'word-count' }],
    })
    if (!('taskResults' in outcome)) throw new Error('that was another kind of run')
    expect(outcome.taskResults.map(({ error }) => error)).toEqual([undefined, undefined, 'I do not know'])
    expect(outcome.errors).toEqual(['I do not know'])
    expect(outcome.experimentId).not.toBe('')
    expect(outcome.evaluations).toMatchObject([
      { evaluator_result: { pass: true } },
      { evaluator_result: { is_valid_regex: true, pass: true } },
      { evaluator_result: { word_count: 1 } },
      { evaluator_result: { pass: false } },
      { evaluator_result: { is_valid_regex: false, pass: false } },
      { evaluator_result: { word_count: 1 } },
    ])
  })

  it('is exported as JSON, an object with every task and what was said of it', async () => {
    const evaluations = [{ evaluator: 'exact-match' }, { evaluator: 'regex-validator' }, { evaluator: 'word-count' }]
    const done = evaluations.map((evaluation) => ({ ...evaluation, status: 'completed', error: null }))
    expect(await exported()).toMatchObject({
      experimentSlug: 'exp-a',
      // The SDK renames the members of an output as its evaluators want them.
      tasks: [
        { input: { 'expected-answer': 'Paris' }, output: { text: 'Paris' }, error: null, evaluations: done },
        { input: { 'expected-answer': 'four' }, output: { text: 'five' }, error: null, evaluations: done },
      ],
    })
  })

  it('is exported as CSV, a line for each task', async () => {
    const [header = '', ...lines] = (await scene.client.experiment.toCsvString()).trimEnd().split('\r\n')
    expect(header.split(',')).toEqual(
      expect.arrayContaining(['task_id', 'input.question', 'output.text', 'exact-match.pass', 'word-count.word_count']),
    )
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(/^[^,]+,"2 \+ 2, as a word\?",four,five,/)
    expect(lines[1]).toContain('"[1,2]"')
  })

  it('goes on computing results that nobody waits for', async () => {
    const outcome = await scene.client.experiment.run(answer, {
      datasetSlug: 'qa-set',
      datasetVersion: 'v1',
      experimentSlug: 'exp-b',
      evaluators: ['exact-match'],
      waitForResults: false,
    })
    if (!('taskResults' in outcome)) throw new Error('that was another kind of run')
    expect(outcome.evaluations).toMatchObject([{ status: 'running' }, { status: 'running' }])
    await eventually(async () => {
      const tasks = [true, false].map((pass) => ({ evaluations: [{ status: 'completed', result: { pass } }] }))
      expect(await exported()).toMatchObject({ tasks })
    })
  })

  it('is told of an evaluator that is not there before any task runs', async () => {
    let tasks = 0
    const run = scene.client.experiment.run(
      async () => {
        tasks++
        return {}
      },
      { datasetSlug: 'qa-set', datasetVersion: 'v1', experimentSlug: 'exp-c', evaluators: ['none-such'] },
    )
    await expect(run).rejects.toThrow('There is no evaluator none-such.')
    expect(tasks).toBe(0)
  })

  it('is told of a dataset or a version that is not there', async () => {
    const start = (datasetSlug: string, datasetVersion: string) =>
      scene.client.experiment.run(answer, { datasetSlug, datasetVersion, experimentSlug: 'exp-d' })
    await expect(start('none', 'v1')).rejects.toThrow('There is no dataset none.')
    await expect(start('qa-set', 'v7')).rejects.toThrow(/no version v7/)
  })

  it('tells which field an evaluator lacks, and goes on with the next row', async () => {
    const outcome = await scene.client.experiment.run(async () => ({ unrelated: 'x' }), {
      datasetSlug: 'qa-set',
      datasetVersion: 'v1',
      experimentSlug: 'exp-e',
      evaluators: ['exact-match'],
    })
    if (!('taskResults' in outcome)) throw new Error('that was another kind of run')
    expect(outcome.errors).toHaveLength(3)
    expect(outcome.errors[0]).toMatch(/input\.\w+: is required/)
  })

  it('of a pull request hands in its outputs, and the server evaluates them', async () => {
    const github = {
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: 'o/r',
      GITHUB_REF: 'refs/pull/7/merge',
      GITHUB_SHA: 'abc',
      GITHUB_ACTOR: 'ada',
    }
    const before = { ...process.env }
    Object.assign(process.env, github)
    const outcome = await scene.client.experiment
      .run(answer, {
        datasetSlug: 'qa-set',
        datasetVersion: 'v1',
        experimentSlug: 'exp-pr',
        evaluators: ['exact-match', 'word-count'],
      })
      .finally(() => {
        process.env = before
      })
    expect(outcome).toMatchObject({
      experimentSlug: 'exp-pr',
      experimentId: expect.any(String),
      runId: expect.any(String),
    })
    await eventually(async () => {
      const done = { error: null, evaluations: [{ status: 'completed' }, { status: 'completed' }] }
      expect(await exported()).toMatchObject({ tasks: [done, done, { error: 'I do not know', evaluations: [] }] })
    })
  })
})

describe("the SDK's feedback of a user", () => {
  it('is taken', async () => {
    const answered = await scene.client.userFeedback.create({
      annotationTask: 'is-it-helpful',
      entity: { id: 'chat-1' },
      tags: { is_helpful: 'thumbs-up', score: 0.9, tones: ['happy'] },
    })
    expect(answered.status).toBe(200)
    expect(await answered.json()).toMatchObject({ entity_instance_id: 'chat-1' })
  })
})
