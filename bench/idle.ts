import { join } from 'node:path'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Bench } from './bench.ts'
import { startInspected } from './inspector.ts'
import { load } from './load.ts'
import type { Row } from './report.ts'
import { batchTemplate } from './sample.ts'
import { residentBytes, startProduct } from './server.ts'

const mebibyte = 2 ** 20
const dashboard = fileURLToPath(new URL('../packages/dashboard/dist', import.meta.url))

/** What the server takes when nobody asks for anything, and what a browser loads first. */
export const idle: Bench = async ({ quick, directory, say }) => {
  say('waiting beside an idle server')
  const product = await startProduct({ data: join(directory, 'idle') })
  await pause(quick ? 1 : 10)
  const fresh = residentBytes(product.pid)
  await product.stop()

  const inspected = await startInspected({ data: join(directory, 'busy') })
  await pause(1)
  await inspected.collectGarbage()
  const collected = residentBytes(inspected.pid)
  say('loading it, then waiting again')
  const template = () => batchTemplate('/webhook/batch', 'idle', 100)
  const seconds = quick ? 1 : 8
  await load({ ...inspected, connections: 8, seconds, template, traces: 100, numbers: { next: 1 } })
  await pause(quick ? 1 : 10)
  const loaded = residentBytes(inspected.pid)
  await inspected.collectGarbage()
  await pause(1)
  const after = residentBytes(inspected.pid)
  await inspected.stop()
  const row = (name: string, bytes: number): Row => ({ name, value: bytes / mebibyte, unit: 'MiB' })
  return [
    { ...row('resident memory of the idle server after 10 s', fresh), target: { atMost: 150 } },
    row('the same after a collection of garbage', collected),
    row('resident memory after a load of batches and 10 s of rest', loaded),
    row('the same after a collection of garbage', after),
    ...firstLoad(),
  ]
}

/** JavaScript that the first page names, and all that any page can ask for, compressed. */
function firstLoad(): Row[] {
  const page = readFileSync(join(dashboard, 'index.html'), 'utf8')
  const named = [...page.matchAll(/(?:src|href)="\/?([^"]+\.js)"/g)].map(([, path = '']) => path)
  const every = readdirSync(join(dashboard, 'assets')).filter((path) => path.endsWith('.js'))
  const size = (paths: string[], ending: string) =>
    paths.reduce((sum, path) => sum + sizeOf(join(dashboard, path), ending), 0) / 1_024
  const all = every.map((path) => join('assets', path))
  return [
    { name: 'JavaScript of the first page, gzip', value: size(named, '.gz'), unit: 'KiB', target: { atMost: 300 } },
    { name: 'JavaScript of the first page, brotli', value: size(named, '.br'), unit: 'KiB' },
    { name: 'JavaScript of all pages together, gzip', value: size(all, '.gz'), unit: 'KiB' },
  ]
}

/** A file too small to be worth compressing travels as it is. */
function sizeOf(path: string, ending: string): number {
  return statSync(`${path}${ending}`, { throwIfNoEntry: false })?.size ?? statSync(path).size
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
}
