import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { percentile } from '../packages/server/test/faults/percentile.ts'

/** What the figures were measured on; without it they mean nothing. */
export function describeMachine(directory: string): string[] {
  const fsync = fsyncLatency(directory)
  return [
    new Date().toISOString(),
    `${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Node ${process.version}, ${process.platform} ${release()}`,
    `load average ${loadavg()
      .map((load) => load.toFixed(1))
      .join(', ')}`,
    `200 fsyncs of 4 KiB in ${directory}: p50 ${fsync.p50.toFixed(2)} ms, p99 ${fsync.p99.toFixed(2)} ms`,
  ]
}

function fsyncLatency(directory: string): { p50: number; p99: number } {
  const path = join(directory, 'fsync')
  const file = openSync(path, 'w')
  const page = Buffer.alloc(4_096, 1)
  const times = Array.from({ length: 200 }, () => {
    const started = performance.now()
    writeSync(file, page)
    fsyncSync(file)
    return performance.now() - started
  })
  closeSync(file)
  rmSync(path)
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) }
}
