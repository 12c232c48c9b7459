import { join } from 'node:path'
import { expect, describe, test } from 'vitest'
import { file, fresh, itemsOf, read, place } from './evaluations.ts'
import { llmEval, sharedServer, folder } from './stage.ts'

const server = sharedServer()
const here = (files: Record<string, string>) => place(files, server.url())

describe('a dataset', () => {
  const task = '(input, { case: { id, expected } }) => [id, input, expected]'

  test.each([
    [
      'jsonl',
      '\uFEFF{"id":"a","input":"x","expected":1}\r\n\n{"id":"b","input":{"q":2}}\n',
      [
        ['a', 'x', 1],
        ['b', { q: 2 }, null],
      ],
    ],
    [
      'json',
      '[{"id":"a","input":"x"},{"id":"b","question":"y","answer":"z"}]',
      [
        ['a', 'x', null],
        ['b', 'y', 'z'],
      ],
    ],
    [
      'csv',
      '\uFEFFid,question,expected\r\na,"what, ""this""?",007\r\nb,2,\r\n',
      [
        ['a', 'what, "this"?', '007'],
        ['b', '2', null],
      ],
    ],
  ])('is a .%s file beside the evaluation', async (ending, content, outputs) => {
    const given = here({
      [`cases.${ending}`]: content,
      'eval.mjs': file(fresh(), { task, more: `dataset: './cases.${ending}', metrics: ['char-count'],` }),
    })
    const { run } = read(await llmEval(['run', join(given.cwd, 'eval.mjs'), '--json'], { ...given, cwd: folder() }))
    expect(run).toMatchObject({ dataset_name: `cases.${ending}`, total_items: 2 })
    expect((await itemsOf(server.url(), run.run_id)).map(({ output }) => output)).toEqual(outputs)
  })

  test('is one of the server, in a version of it', async () => {
    const given = here({
      'eval.mjs': file(fresh(), { task, more: `dataset: 'run-evaluation', metrics: ['char-count'],` }),
    })
    const rows = '{"id":"a","input":"x","expected":"1"}\n{"id":"b","input":"y","expected":"2"}\n'
    await llmEval(['datasets', 'import', '-', '--dataset', 'run-evaluation', '--format', 'jsonl'], {
      ...given,
      input: rows,
    })
    const { run } = read(await llmEval(['run', 'eval.mjs', '--json'], given))
    expect(run).toMatchObject({ dataset_name: 'run-evaluation', total_items: 2, status: 'completed' })
    expect(run.dataset_id).not.toBeNull()
    const first = read(await llmEval(['run', 'eval.mjs', '--json', '--limit', '1'], given)).run
    expect(first).toMatchObject({ total_items: 1, completed_items: 1, status: 'completed' })
  })

  test('is a generator, of which --limit reads no more than it needs', async () => {
    const given = here({
      'eval.mjs': file(fresh(), {
        more: `dataset: (async function* () { yield 'a'; yield 'b'; throw new Error('read too far') })(), metrics: ['char-count'],`,
      }),
    })
    const { run, exit_code: code } = read(await llmEval(['run', 'eval.mjs', '--json', '--limit', '2'], given))
    expect([code, run.completed_items, run.total_items]).toEqual([0, 2, 2])
  })

  test('with an id twice fails the item that has it the second time', async () => {
    const given = here({
      'eval.mjs': file(fresh(), {
        more: `dataset: [{ id: 'a', input: 1 }, { id: 'a', input: 2 }, { id: 'b', input: 3 }], metrics: ['char-count'],`,
      }),
    })
    const { code, err, out } = await llmEval(['run', 'eval.mjs'], given)
    expect([code, out]).toEqual([1, expect.stringContaining('Failed: 1 item without an answer; 3 items')])
    expect(err).toMatch(/^failed +a~1 +invalid_case: An earlier case has the id a\./)
  })
})
