import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root, text } from './markdown.ts'
import { testsOf } from './tests-of.ts'

const page = text('docs/seeds.md')
const citations = [...page.matchAll(/`([^`]+?) › ((?:[^`]|``)+?)`/g)].map(([, path = '', name = '']) => ({
  path,
  name,
}))

describe('the map of the seeds', () => {
  test.each([...new Set(citations.map(({ path }) => path))])('cites tests that stand in %s', (path) => {
    expect(existsSync(join(root, path)), `${path} does not exist`).toBe(true)
    const names = testsOf(path)
    const cited = citations.filter((citation) => citation.path === path)
    expect(cited.filter(({ name }) => !names.has(name)).map(({ name }) => name)).toEqual([])
  })

  test('says of each line which test proves it, what supersedes it, or that it comes later', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| ') && !/^\| (what it says|---)/.test(line))
    expect(rows.length).toBeGreaterThan(150)
    const silent = rows.filter((row) => !/ › |Superseded: |Later: |\]\(/.test(row.split(' | ').slice(1).join()))
    expect(silent).toEqual([])
  })
})
