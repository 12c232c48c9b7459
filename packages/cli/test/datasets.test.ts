import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { answering, folder, llmEval, sharedServer } from './stage.ts'

const server = sharedServer()

const options = (cwd = folder()) => ({ cwd, env: { LLM_EVAL_URL: server.url() } })

describe('llm-eval datasets import', () => {
  test('makes a dataset of the name of the file, with the columns of its header', async () => {
    const given = options()
    writeFileSync(join(given.cwd, 'Golden Set.csv'), 'Question,Score\nWhat?,1\n"a\nb",2\n')
    const { code, out, err } = await llmEval(['datasets', 'import', 'Golden Set.csv'], given)
    expect(err).toBe('Made the dataset golden-set.\n')
    expect(out).toMatch(/^2 rows imported into golden-set in .*\n {2}columns made: question, score\n$/)
    expect(code).toBe(0)
    const again = await llmEval(['datasets', 'import', 'Golden Set.csv', '--json'], given)
    expect(JSON.parse(again.out)).toMatchObject({ dataset: 'golden-set', imported: 2, refused: 0, complete: true })
    expect(again.err).toBe('')
  })

  test('tells refused rows by their lines, and ends with 1', async () => {
    const given = options()
    writeFileSync(join(given.cwd, 'bad.jsonl'), '{"n":1}\n{"n":\n[]\n{"n":2}\n')
    const { code, out } = await llmEval(['datasets', 'import', 'bad.jsonl'], given)
    expect(code).toBe(1)
    expect(out).toContain('2 rows imported into bad')
    expect(out).toContain('  refused: 2\n  line 2: it is not JSON')
    expect(out).toContain('  line 3: a row is an object of values by column\n')
    writeFileSync(join(given.cwd, 'cut.csv'), 'n\n1\n"open\n')
    const cut = await llmEval(['datasets', 'import', 'cut.csv', '--dataset', 'bad'], given)
    expect(cut.code).toBe(1)
    expect(cut.out).toContain('1 row imported')
    expect(cut.out).toContain('The rest of the file was not read.')
    writeFileSync(join(given.cwd, 'wrong.csv'), 'm\n1\n')
    const wrong = await llmEval(['datasets', 'import', 'wrong.csv', '--dataset', 'bad'], given)
    expect([wrong.code, wrong.err]).toEqual([
      1,
      'error: The request does not fit the schema. header.m: is no column of the dataset; did you mean n?\n',
    ])
  })

  test('tells foreign words without what would steer the terminal', async () => {
    const given = options()
    writeFileSync(join(given.cwd, 'odd.csv'), '\u001b[31mred,b\n1,2\n')
    const { code, err } = await llmEval(['datasets', 'import', 'odd.csv'], given)
    expect(code).toBe(1)
    expect(err).toContain(String.raw`header.\u001b[31mred: must not hold control characters`)
  })

  test('reads tables that semicolons or tabs part', async () => {
    const given = options()
    writeFileSync(join(given.cwd, 'europe.csv'), 'name;price\nTea;1,5\n')
    writeFileSync(join(given.cwd, 'tabs.tsv'), 'name\tprice\nTea\t1.5\n')
    for (const file of ['europe.csv', 'tabs.tsv'])
      expect((await llmEval(['datasets', 'import', file], given)).out).toContain('columns made: name, price')
    expect((await llmEval(['datasets', 'export', 'europe'], given)).out).toBe('{"name":"Tea","price":"1,5"}\n')
  })

  test('reads standard input and gzip, and shows how far it is on a terminal', async () => {
    const given = options()
    const piped = ['datasets', 'import', '-', '--dataset', 'piped', '--format', 'json']
    expect((await llmEval(piped, { ...given, input: '[{"a":"x"},{"a":"y"}]' })).out).toContain('2 rows imported')
    const rows = Array.from({ length: 20_000 }, (_, n) => `{"n":${n},"text":"${'x'.repeat(50)}"}`).join('\n')
    writeFileSync(join(given.cwd, 'many.jsonl.gz'), gzipSync(rows))
    const many = await llmEval(['datasets', 'import', 'many.jsonl.gz'], { ...given, columns: 80 })
    expect(many.out).toContain('20,000 rows imported into many')
    expect(many.err).toContain('100 %')
  })

  test('complains about what it cannot know or read, with 2', async () => {
    const given = options()
    writeFileSync(join(given.cwd, 'rows.txt'), '')
    for (const [args, words] of [
      [['-', '--format', 'csv'], '--dataset'],
      [['rows.txt'], 'Say what rows.txt is: --format csv|jsonl|json'],
      [['-', '--dataset', 'x'], 'Say what standard input is'],
      [['gone.csv'], 'it is not there'],
      [['.', '--format', 'csv'], 'is a directory'],
      [['rows.txt', '--format', 'xml'], 'Allowed choices are csv, jsonl, json'],
    ] as const) {
      const { code, err } = await llmEval(['datasets', 'import', ...args], given)
      expect(code, err).toBe(2)
      expect(err).toContain(words)
    }
    const nobody = await llmEval(['datasets', 'import', '-', '--dataset', 'x', '--format', 'csv'], {
      cwd: given.cwd,
      env: { LLM_EVAL_URL: 'http://127.0.0.1:9' },
    })
    expect([nobody.code, nobody.err]).toEqual([2, expect.stringContaining('Cannot reach')])
  })
})

describe('llm-eval datasets', () => {
  test('list, show, publish and export what is there', async () => {
    const given = options()
    writeFileSync(join(given.cwd, 'qa.csv'), 'q,n\nfirst,1\n')
    await llmEval(['datasets', 'import', 'qa.csv'], given)
    expect((await llmEval(['datasets', 'publish', 'qa'], given)).out).toBe('Published qa v1: 1 row.\n')
    const same = await llmEval(['datasets', 'publish', 'qa', '--json'], given)
    expect(JSON.parse(same.out)).toMatchObject({ version: 'v1', created: false })
    writeFileSync(join(given.cwd, 'more.csv'), 'q,n\nsecond,2\n')
    await llmEval(['datasets', 'import', 'more.csv', '--dataset', 'qa'], given)
    expect((await llmEval(['datasets', 'publish', 'qa', '--as', 'golden'], given)).out).toContain('Published qa golden')
    const list = await llmEval(['datasets', 'list'], given)
    expect(list.out).toMatch(/DATASET +ROWS +VERSION +CHANGED +COLUMNS/)
    expect(list.out).toMatch(/qa +2 +golden +no +q, n/)
    expect((await llmEval(['datasets', 'list', '--json'], given)).out).toContain('"slug":"qa"')
    const { out } = await llmEval(['datasets', 'show', 'qa'], given)
    expect(out).toMatch(/n +number +n/)
    expect(out).toMatch(/golden +2 +0/)
    const json = JSON.parse((await llmEval(['datasets', 'show', 'qa', '--json'], given)).out) as object
    expect(json).toMatchObject({ slug: 'qa', versions: [{ version: 'golden' }, { version: 'v1' }] })
    const draft = await llmEval(['datasets', 'export', 'qa'], given)
    expect(draft.out).toBe('{"q":"first","n":1}\n{"q":"second","n":2}\n')
    const file = ['datasets', 'export', 'qa', '--at', 'v1', '--format', 'csv', '-o', 'v1.csv']
    const saved = await llmEval(file, given)
    expect([saved.code, saved.err]).toEqual([0, expect.stringMatching(/^1 row, .*v1\.csv\n$/)])
    expect(readFileSync(join(given.cwd, 'v1.csv'), 'utf8')).toBe('q,n\r\nfirst,1\r\n')
    expect((await llmEval(file, given)).code).toBe(2)
    const array = await llmEval(['datasets', 'export', 'qa', '--format', 'json', '-o', 'all.json'], given)
    expect(array.err).toMatch(/^2 rows/)
    expect(readdirSync(given.cwd).toSorted()).toEqual(['all.json', 'more.csv', 'qa.csv', 'v1.csv'])
  })

  test('that are not there are told with 1', async () => {
    for (const command of ['show', 'export', 'publish']) {
      const { code, err } = await llmEval(['datasets', command, 'nobody'], options())
      expect([code, err]).toEqual([1, expect.stringContaining('There is no dataset nobody.')])
    }
    const version = await llmEval(['datasets', 'export', 'nobody', '--at', 'v1'], options())
    expect(version.code).toBe(1)
  })

  test('say so when there are none', async () => {
    const url = await answering((_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end('{"items":[]}')
    })
    const { code, err } = await llmEval(['datasets', 'list', '--url', url])
    expect([code, err]).toEqual([0, 'There is no dataset. `llm-eval datasets import FILE` makes one.\n'])
  })
})
