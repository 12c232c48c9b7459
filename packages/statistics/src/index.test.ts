import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

test('the package imports nothing but its own files, so that a browser runs it as it stands', () => {
  const folder = new URL('.', import.meta.url)
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  const imported = sources.flatMap((name) =>
    [...readFileSync(new URL(name, folder), 'utf8').matchAll(/\bfrom '([^']+)'|\bimport\('([^']+)'\)/g)].map(
      ([, from, dynamic]) => from ?? dynamic ?? '',
    ),
  )
  expect(sources.length).toBeGreaterThan(15)
  expect(imported.filter((from) => !/^\.\/[\w-]+\.ts$/.test(from))).toEqual([])
})
