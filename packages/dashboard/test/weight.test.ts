import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { builtDashboard } from './built.ts'

let assets: string

beforeAll(async () => {
  assets = join(await builtDashboard(), 'assets')
})

/** Bytes of a script as a browser receives it. */
const weight = (name: string): number =>
  statSync(join(assets, `${name}.gz`), { throwIfNoEntry: false })?.size ?? statSync(join(assets, name)).size

/** A script with everything it imports before it runs. */
function withImports(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen
  seen.add(name)
  const code = readFileSync(join(assets, name), 'utf8')
  for (const [, imported = ''] of code.matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g))
    withImports(imported, seen)
  return seen
}

test('the first load of the Live page is at most 200 KB of compressed JavaScript', () => {
  const names = readdirSync(assets).filter((name) => name.endsWith('.js'))
  const loaded = new Set<string>()
  for (const name of names.filter((name) => /^(index|live|feed-worker)-/.test(name))) withImports(name, loaded)
  expect([...loaded].filter((name) => /^(index|live|feed-worker)-/.test(name)).length).toBeGreaterThanOrEqual(3)
  const sum = [...loaded].reduce((total, name) => total + weight(name), 0)
  expect(sum).toBeLessThan(200 * 1024)
  expect(sum).toBeGreaterThan(50 * 1024)
})

test('no library for schemas has got into the bundle', () => {
  for (const name of readdirSync(assets).filter((file) => file.endsWith('.js'))) {
    expect(readFileSync(join(assets, name), 'utf8')).not.toMatch(/ZodError|invalid_union/)
  }
})
