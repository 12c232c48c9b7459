import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { chromium } from './chromium.mjs'

let folder: string

/** A program on PATH that ends with this exit code. */
function program(name: string, code: number, at = folder): string {
  mkdirSync(at, { recursive: true })
  writeFileSync(join(at, name), `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 })
  return join(at, name)
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chromium-'))
  vi.stubEnv('PATH', folder)
  vi.stubEnv('HOME', folder)
  vi.stubEnv('CHROMIUM_PATH', '')
  // Where it may install, it finds an installer that cannot.
  program('apt-get', 100)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

test('a Chromium on PATH is found', async () => {
  const path = program('chromium', 0)
  expect(await chromium()).toBe(path)
})

test('the one that CHROMIUM_PATH names comes first', async () => {
  program('chromium', 0)
  const named = program('mine', 0)
  vi.stubEnv('CHROMIUM_PATH', named)
  expect(await chromium()).toBe(named)
})

test('one that does not start is passed over', async () => {
  program('chromium', 1)
  const other = program('google-chrome', 0)
  expect(await chromium()).toBe(other)
})

test('the newest that Playwright has downloaded is found', async () => {
  const cache = (version: number) => join(folder, `.cache/ms-playwright/chromium-${version}/chrome-linux`)
  program('chrome', 0, cache(999))
  const newest = program('chrome', 0, cache(1200))
  expect(await chromium()).toBe(newest)
})

test('without any, it says what to install', async () => {
  await expect(chromium()).rejects.toThrow(/apt-get install chromium[^]*CHROMIUM_PATH/)
})
