import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { folder, llmEval, start } from './stage.ts'

const commands = [
  ['serve'],
  ['config'],
  ['status'],
  ['backup'],
  ['send'],
  ['tail'],
  ['export'],
  ['traces', 'list'],
  ['traces', 'show'],
  ['review'],
  ['delete'],
  ['datasets', 'list'],
  ['datasets', 'show'],
  ['datasets', 'import'],
  ['datasets', 'export'],
  ['datasets', 'publish'],
  ['evaluators', 'list'],
  ['evaluators', 'show'],
  ['evaluators', 'run'],
  ['evaluators', 'result'],
  ['run'],
  ['runs', 'start'],
  ['runs', 'watch'],
  ['runs', 'resume'],
  ['runs', 'list'],
  ['runs', 'show'],
  ['runs', 'items'],
  ['runs', 'cancel'],
  ['runs', 'approve'],
  ['runs', 'reject'],
  ['runs', 'delete'],
  ['compare'],
  ['doctor'],
  ['init'],
  ['test'],
  ['watch'],
  ['snapshot'],
  ['check'],
  ['record'],
  ['quarantine', 'add'],
  ['quarantine', 'list'],
  ['quarantine', 'remove'],
  ['bridge'],
  ['conversations', 'list'],
  ['conversations', 'show'],
  ['conversations', 'export'],
  ['conversations', 'delete'],
  ['replay'],
  ['import-logs'],
  ['keys', 'create'],
  ['keys', 'list'],
  ['keys', 'revoke'],
]

describe('the command line', () => {
  test.each(commands.map((command) => [command.join(' '), command]))(
    '%s --help has examples, and fits the screen',
    async (name, command) => {
      const { code, out, err } = await llmEval([...command, '--help'], { columns: 90, env: { NO_COLOR: '1' } })
      expect([code, err]).toEqual([0, ''])
      expect(out).toContain(`Usage: llm-eval ${name}`)
      const [options = '', examples = ''] = out.split('\nExamples:\n')
      expect(examples).toContain(`llm-eval ${name}`)
      for (const line of options.split('\n')) expect(line.length, line).toBeLessThanOrEqual(90)
    },
  )

  test('the help of all commands fits a terminal of 80 columns', async () => {
    const { out } = await llmEval(['--help'], { columns: 80, env: { NO_COLOR: '1' } })
    expect(out).toMatch(/\nExit codes: 0 done;/)
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  })

  test('every command there is has been asked for its help above', async () => {
    const { out } = await llmEval(['--help'])
    const listed = [...(/^Commands:\n((?: {2}.*\n)+)/m.exec(out)?.[1]?.matchAll(/^ {2}([\w-]+)/gm) ?? [])].map(
      ([, name]) => name,
    )
    expect(new Set(listed)).toEqual(new Set([...commands.map(([first]) => first), 'help']))
  })

  test('the version is the package’s', async () => {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect(await llmEval(['--version'])).toEqual({ code: 0, out: `${manifest.version}\n`, err: '' })
  })

  test.each([
    [['sned'], 'Did you mean send?'],
    [['serve', '--prot', '1'], 'Did you mean --port?'],
    [['keys', 'crate'], 'Did you mean create?'],
    [['tail', '--status', 'good'], 'pending, in_review, accepted, rejected'],
    [['export', '--from', 'monday'], '24h, 7d'],
    [['export', '--format', 'xml'], 'jsonl, csv'],
    [['send', 'a', 'b'], 'too many arguments'],
    [['keys'], 'Usage: llm-eval keys'],
    [[], 'Usage: llm-eval'],
  ])('%j is an error with a hint, and 2', async (args, hint) => {
    const { code, out, err } = await llmEval(args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(hint)
    expect(err).not.toMatch(/ {4}at /)
  })

  test('as a process it gives the same exit codes', async () => {
    const cwd = folder()
    expect((await start(['--version'], { cwd }).ended).code).toBe(0)
    expect((await start(['sned'], { cwd }).ended).code).toBe(2)
  })

  test('an unexpected error is one line; --debug and LLM_EVAL_DEBUG show where it came from', async () => {
    const input = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"trace_id":')
      throw new Error('the tape broke')
    }
    const { url } = await (await import('./stage.ts')).intake()
    const args = ['send', '-', '--url', url]
    const quiet = await llmEval(args, { input: input() })
    expect(quiet.code).toBe(2)
    expect(quiet.err).toBe('error: Something unexpected went wrong: the tape broke. With --debug it says where.\n')
    expect((await llmEval([...args, '--debug'], { input: input() })).err).toMatch(/Error: the tape broke\n {4}at /)
    expect((await llmEval(args, { input: input(), env: { LLM_EVAL_DEBUG: '1' } })).err).toMatch(/\n {4}at /)
  })
})

describe('bin/llm-eval.js', () => {
  const bin = fileURLToPath(new URL('../bin/llm-eval.js', import.meta.url))

  test.each(['20.19.0', '22.13.9', '18.0.0'])('on Node %s it says what it needs instead of crashing', (version) => {
    // Only the number is another one: what the file does with it is what counts.
    const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      ['--import', `data:text/javascript,${pretend}`, bin],
      {
        encoding: 'utf8',
      },
    )
    expect(stderr).toBe(
      `llm-eval needs Node 22.14 or newer; this is ${version}. Install a newer one: https://nodejs.org\n`,
    )
    expect([status, stdout]).toEqual([2, ''])
  })
})
