import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { file, itemsOf, place, read } from './evaluations.ts'
import { answering, llmEval, serve, start, type Started } from './stage.ts'

/** Puts a promise off until a file is there. */
const waiting = `import { appendFileSync, existsSync } from 'node:fs'
  import { setTimeout as delay } from 'node:timers/promises'
  const here = (name) => new URL(name, import.meta.url)
  const until = async (name) => { while (!existsSync(here(name))) await delay(20) }`

/** Its items from the third on wait for the file `go`; each asking is a line of `asked`. */
function slowFile(name: string, { cases = 6 } = {}): string {
  return `${waiting}
    ${file(name, {
      cases,
      task: `async (input, { signal }) => {
        appendFileSync(here('asked'), input + '\\n')
        if (Number(input.slice(3)) >= 2) await until('go')
        return input
      }`,
      more: 'concurrency: 2,',
    })}`
}

const asked = (cwd: string) => readFileSync(join(cwd, 'asked'), 'utf8').trimEnd().split('\n')

/** Waits until so many items were asked. */
const askedSoMany = (cwd: string, count: number) =>
  expect
    .poll(() => (existsSync(join(cwd, 'asked')) ? asked(cwd).length : 0), { timeout: 200_000 })
    .toBeGreaterThanOrEqual(count)

/** What is asked of a run that this directory keeps, where no server is. */
const shown = async (cwd: string, id: string) => (await llmEval(['runs', 'show', id], { cwd })).out

const runIdIn = (out: string) => /^Run +(\S+)$/m.exec(out)?.[1] ?? ''

describe('without a server', { timeout: 300_000 }, () => {
  test('TypeScript is evaluated, kept in the data directory, and shown from there', async () => {
    const { cwd } = place({
      'answers.ts': 'export const answers: Record<string, string> = { a: "A", b: "B" }',
      'eval.ts': `import { answers } from './answers.ts'
        import type { EvaluationDefinition } from 'llm-eval-sdk/evaluation'
        const definition: EvaluationDefinition = {
          name: 'typed',
          dataset: [{ id: 'a', input: 1, expected: 'A' }, { id: 'b', input: 2, expected: 'B' }],
          task: (_input, { case: { id } }) => answers[id],
          metrics: ['exact-match'],
        }
        export default definition`,
    })
    const env = { LLM_EVAL_DATA: join(cwd, 'kept') }
    const { code, out, err } = await start(['run', 'eval.ts', '--local'], { cwd, env }).ended
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain(`Kept in ${join(cwd, 'kept')}; \`llm-eval serve\` shows it in the browser.`)
    const id = runIdIn(out)
    const read = await start(['runs', 'show', id, '--data', 'kept'], { cwd }).ended
    expect([read.code, read.out]).toEqual([0, expect.stringMatching(/^Run +typed-.*\nStatus +completed\n/)])
    const compared = await llmEval(['compare', id, '--min', 'exact-match=1', '--data', 'kept'], { cwd })
    expect([compared.code, compared.err]).toEqual([0, ''])
    const server = await serve({ data: join(cwd, 'kept') })
    expect(await itemsOf(server.url, id)).toMatchObject([{ output: 'A' }, { output: 'B' }])
  })

  test.each([
    [
      'what cannot be parsed',
      'eval.mjs',
      'export default {\n  name: "x",,\n}',
      /eval\.mjs:2 is not valid: Unexpected token ','\.\n +name: "x",,\n +\^/,
    ],
    [
      'an enum, which Node does not take away',
      'eval.ts',
      'enum Colour { Red }\nexport default { name: Colour.Red }',
      /eval\.ts\S*: .*enum.* Node only takes types away/,
    ],
    [
      'a package that is not installed',
      'eval.mjs',
      'import { defineEvaluation } from "llm-eval-sdk/evaluation"\nexport default defineEvaluation({})',
      /eval\.mjs imports llm-eval-sdk, which is not installed beside it: npm install --save-dev llm-eval-sdk\. Without it, export a plain object/,
    ],
  ])('%s ends with 2 and is told with its place', async (...[, name, content, words]) => {
    const { cwd } = place({ [name]: content })
    const { code, err } = await start(['run', name, '--local'], { cwd }).ended
    expect(err).toMatch(words)
    expect(code).toBe(2)
  })

  test('a directory that has keys is evaluated into by whoever may read it, and by those with a key, and by nobody with a wrong one', async () => {
    const { cwd } = place({ 'eval.mjs': file('keyed') })
    const key = (await llmEval(['keys', 'create', 'ops', '--scopes', 'admin', '--quiet'], { cwd })).out.trim()
    const codes = async (env: NodeJS.ProcessEnv) => {
      const { code, err } = await llmEval(['run', 'eval.mjs', '--local'], { cwd, env })
      return [code, err]
    }
    expect(await codes({})).toEqual([0, ''])
    expect(await codes({ LLM_EVAL_API_KEY: key })).toEqual([0, ''])
    expect(await codes({ LLM_EVAL_API_KEY: 'wrong' })).toEqual([2, expect.stringContaining('The API key is unknown')])
    const listed = await llmEval(['runs', 'list', '--json'], { cwd, env: { LLM_EVAL_API_KEY: key } })
    expect(listed.out.trimEnd().split('\n')).toHaveLength(2)
    // No key was left behind.
    expect((await llmEval(['keys', 'list'], { cwd })).out.trimEnd().split('\n')).toHaveLength(2)
  })

  test('others see an evaluation while it goes on, however many come at once', async () => {
    const { cwd } = place({ 'eval.mjs': slowFile('seen') })
    const command = start(['run', 'eval.mjs', '--local'], { cwd })
    await askedSoMany(cwd, 4)
    const { url } = JSON.parse(readFileSync(join(cwd, '.llm-eval/owner.json'), 'utf8')) as { url: string }
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/api/v1/runs`)))
    for (const answer of answers)
      expect(await answer.json()).toMatchObject({ items: [{ name: 'seen', status: 'running', completed_items: 2 }] })
    writeFileSync(join(cwd, 'go'), '')
    expect((await command.ended).code).toBe(0)
  })

  test('two evaluations share a directory, whichever ends first', async () => {
    const { cwd } = place({ 'one.mjs': slowFile('one'), 'two.mjs': slowFile('two') })
    const commands = ['one.mjs', 'two.mjs'].map((name) => start(['run', name, '--local'], { cwd }))
    await askedSoMany(cwd, 8)
    writeFileSync(join(cwd, 'go'), '')
    const ended = await Promise.all(commands.map(({ ended: one }) => one))
    expect(ended.map(({ code }) => code)).toEqual([0, 0])
    for (const { out } of ended) expect(await shown(cwd, runIdIn(out))).toMatch(/\nItems +6\/6, 100 % /)
  })
})

describe('Ctrl-C', { timeout: 300_000 }, () => {
  test('keeps what is finished, and --resume does what is missing', async () => {
    const { cwd } = place({ 'eval.mjs': slowFile('interrupted') })
    const command = start(['run', 'eval.mjs', '--local'], { cwd })
    await askedSoMany(cwd, 4)
    command.child.kill('SIGINT')
    const { code, out } = await command.ended
    expect(code).toBe(130)
    expect(out).toContain('Interrupted: 2 of 6 items, 100 % without an error')
    const id = runIdIn(out)
    expect(out).toContain(`\nNext: llm-eval run ${join(cwd, 'eval.mjs')} --resume ${id}\n`)
    expect(await shown(cwd, id)).toMatch(/\nStatus +cancelled\n/)
    expect(asked(cwd)).toEqual(['in 0', 'in 1', 'in 2', 'in 3'])
    writeFileSync(join(cwd, 'go'), '')
    const again = read(await start(['run', 'eval.mjs', '--local', '--resume', '--json'], { cwd }).ended)
    expect(again).toMatchObject({ exit_code: 0, run: { run_id: id, completed_items: 6, status: 'completed' } })
    expect(asked(cwd).slice(4).sort()).toEqual(['in 2', 'in 3', 'in 4', 'in 5'])
    const whole = await start(['run', 'eval.mjs', '--local', '--resume'], { cwd }).ended
    expect([whole.code, whole.err]).toEqual([
      2,
      expect.stringContaining('There is nothing to resume: the newest run of interrupted'),
    ])
  })

  test('a second time ends at once, though the server does not answer', async () => {
    const { cwd } = place({ 'eval.mjs': slowFile('deaf') })
    const server = await serve()
    const url = await answering((request, response, body) => {
      const { url: path = '', method = 'GET' } = request
      if (path.endsWith('/events')) return
      const asking = fetch(`${server.url}${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body === '' ? {} : { body }),
      })
      void asking.then(async (answer) => response.writeHead(answer.status).end(await answer.text()))
    })
    const command = start(['run', 'eval.mjs', '--url', url], { cwd })
    await askedSoMany(cwd, 4)
    // The first one is heard; those that come right after it may be the same, passed on by a terminal.
    const again = () => {
      command.child.kill('SIGINT')
      return command.child.exitCode
    }
    await expect.poll(again, { timeout: 200_000 }).toBe(130)
    expect(command.out()).toBe('')
  })
})

describe('a process that is killed', { timeout: 300_000 }, () => {
  test('leaves what is stored, and --resume RUN does the rest as the run began', async () => {
    const { cwd } = place({ 'eval.mjs': slowFile('killed', { cases: 8 }) })
    const server = await serve()
    const env = { LLM_EVAL_URL: server.url }
    const command = start(['run', 'eval.mjs', '--limit', '6', '--tag', 'nightly'], { cwd, env })
    await askedSoMany(cwd, 4)
    const runs = async () => {
      const answer = (await (await fetch(`${server.url}/api/v1/runs`)).json()) as {
        items: { run_id: string; completed_items: number }[]
      }
      return answer.items[0]
    }
    await expect.poll(async () => (await runs())?.completed_items, { timeout: 200_000 }).toBe(2)
    command.child.kill('SIGKILL')
    await command.ended
    writeFileSync(join(cwd, 'go'), '')
    const id = (await runs())?.run_id ?? ''
    const again = read(await llmEval(['run', 'eval.mjs', '--resume', id, '--json'], { cwd, env }))
    expect(again).toMatchObject({
      exit_code: 0,
      run: { run_id: id, completed_items: 6, total_items: 6, tags: ['nightly'] },
    })
    expect(asked(cwd).slice(4).sort()).toEqual(['in 2', 'in 3', 'in 4', 'in 5'])
  })
})

describe('a server that is killed', { timeout: 300_000 }, () => {
  /** A server in a process of its own, and where it listens. */
  async function serving(cwd: string, port = 0): Promise<Started & { url: string }> {
    const server = start(['serve', '--port', String(port), '--data', 'kept', '--log-level', 'silent'], { cwd })
    await server.says(/Dashboard +http\S+/)
    return { ...server, url: /Dashboard +(\S+)/.exec(server.out())?.[1] ?? '' }
  }

  test('and comes back has all items in the end', async () => {
    const { cwd } = place({ 'eval.mjs': slowFile('away') })
    const server = await serving(cwd)
    const command = start(['run', 'eval.mjs', '--url', server.url, '--patience', '10m'], { cwd })
    await askedSoMany(cwd, 4)
    server.child.kill('SIGKILL')
    await server.ended
    writeFileSync(join(cwd, 'go'), '')
    await askedSoMany(cwd, 6)
    await command.says('Items wait until the server takes them')
    await serving(cwd, Number(new URL(server.url).port))
    const { code, out } = await command.ended
    expect([code, out]).toEqual([0, expect.stringContaining('Completed: 6 items, 100 % without an error')])
    expect((await itemsOf(server.url, runIdIn(out))).map(({ case_id: id }) => id)).toEqual([
      'c0',
      'c1',
      'c2',
      'c3',
      'c4',
      'c5',
    ])
  })

  test('and served the data directory is replaced by the evaluation itself', async () => {
    const { cwd } = place({ 'eval.mjs': slowFile('taken over') })
    const server = await serving(cwd)
    const command = start(['run', 'eval.mjs', '--data', 'kept', '--patience', '10m'], { cwd })
    await askedSoMany(cwd, 4)
    server.child.kill('SIGKILL')
    await server.ended
    writeFileSync(join(cwd, 'go'), '')
    const { code, out } = await command.ended
    expect([code, out]).toEqual([0, expect.stringContaining('Completed: 6 items, 100 % without an error')])
    expect((await llmEval(['runs', 'show', runIdIn(out), '--data', 'kept'], { cwd })).out).toMatch(
      /\nItems +6\/6, 100 % /,
    )
  })

  test('and stays away ends the command with 2 and how to go on', async () => {
    const { cwd } = place({ 'eval.mjs': slowFile('lost') })
    const server = await serving(cwd)
    const command = start(['run', 'eval.mjs', '--url', server.url, '--patience', '1s'], { cwd })
    await askedSoMany(cwd, 4)
    server.child.kill('SIGKILL')
    await server.ended
    writeFileSync(join(cwd, 'go'), '')
    const { code, err } = await command.ended
    expect(code).toBe(2)
    expect(err).toContain('--resume')
  })
})

describe('--watch', { timeout: 300_000 }, () => {
  test('evaluates again when the file, a module or the dataset changes, and ends with Ctrl-C', {
    timeout: 240_000,
  }, async () => {
    const { cwd } = place({
      'eval.mjs': `import { answer } from './answer.mjs'
        export default { name: 'watched', dataset: './cases.jsonl', task: answer, metrics: [{ name: 'right', evaluator: ({ output, expected }) => output === expected, version: '1' }] }`,
      'answer.mjs': 'export const answer = () => "first"',
      'cases.jsonl': '{"id":"a","input":1,"expected":"second"}\n',
    })
    const command = start(['run', 'eval.mjs', '--watch', '--local'], { cwd })
    const times = () => command.out().match(/^Completed: .*$/gm) ?? []
    const idle = () => command.err().match(/^Watching /gm)?.length ?? 0
    const evaluated = async (count: number) => {
      // The two outputs come by different pipes.
      await expect.poll(() => [idle() >= count, times().length], { timeout: 200_000 }).toEqual([true, count])
      return times().at(-1)
    }
    expect(await evaluated(1)).toContain('right 0.')
    writeFileSync(join(cwd, 'answer.mjs'), 'export const answer = () => "second"')
    expect(await evaluated(2)).toContain('right 1.')
    appendFileSync(join(cwd, 'cases.jsonl'), '{"id":"b","input":2,"expected":"third"}\n')
    expect(await evaluated(3)).toContain('2 items, 100 % without an error; right 0.5.')
    writeFileSync(join(cwd, 'eval.mjs'), 'export default {')
    await expect.poll(() => command.err(), { timeout: 200_000 }).toMatch(/eval\.mjs:1 is not valid[^]*Watching /)
    command.child.kill('SIGINT')
    expect((await command.ended).code).toBe(130)
  })

  test('a change calls off what is evaluated, which stays as a cancelled run', async () => {
    const { cwd } = place({ 'eval.mjs': slowFile('called off') })
    const command = start(['run', 'eval.mjs', '--watch', '--local'], { cwd })
    await askedSoMany(cwd, 4)
    writeFileSync(join(cwd, 'eval.mjs'), file('called off', { cases: 1 }))
    await expect.poll(() => command.out(), { timeout: 200_000 }).toMatch(/Interrupted: [\s\S]*Completed: 1 item,/)
    command.child.kill('SIGINT')
    expect((await command.ended).code).toBe(130)
  })
})
