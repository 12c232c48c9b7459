import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { rounds } from './load.ts'
import type { Row } from './report.ts'
import { singleTemplate } from './sample.ts'
import { type Measured, startPeer, startProduct } from './server.ts'
import { percentile } from '../packages/server/test/faults/percentile.ts'

/** Durable single POSTs, against a route that stores nothing. */
export const ingestSingle: Bench = async ({ quick, directory, say }) => {
  const product = await startProduct({ data: join(directory, 'data') })
  const peer = await startPeer('peers/bare-fastify.ts')
  const numbers = { next: 1 }
  const connections = 64
  const target = ({ port, pid }: Measured, path: string, seconds: number) => ({
    port,
    pid,
    connections,
    seconds,
    template: () => singleTemplate(path, 'single'),
    traces: 1,
    numbers,
  })
  const targets = (seconds: number) => [
    target(product, '/webhook/trace', seconds),
    target(peer, '/ajv', seconds),
    target(peer, '/intake', seconds),
  ]
  say('warming up')
  await rounds(1, targets(quick ? 0.5 : 3))
  say('measuring')
  const [ours, ajv, intake] = await rounds(quick ? 1 : 5, targets(quick ? 1 : 4))
  await product.stop()
  await peer.stop()
  if (!ours || !ajv || !intake) throw new Error('a target was not measured')
  const rows: Row[] = [
    {
      name: 'durable single POSTs, 64 connections',
      value: ours.perSecond,
      unit: '/s',
      peer: { name: 'bare Fastify, JSON.parse and ajv, stores nothing', value: ajv.perSecond },
      target: { atLeast: 8_000, ratioAtLeast: 0.3 },
      note: 'ambition 0.5',
    },
    {
      name: 'the same, as a share of the bare route with our intake',
      value: ours.perSecond,
      unit: '/s',
      peer: { name: 'bare Fastify, our intake, stores nothing', value: intake.perSecond },
    },
    {
      name: 'CPU of the server for one',
      value: ours.cpuMicros,
      unit: 'µs',
      peer: { name: 'ajv', value: ajv.cpuMicros },
      note: 'all threads; hardly depends on what else runs',
    },
    {
      name: 'p50 of these',
      value: percentile(ours.latencies, 0.5),
      unit: 'ms',
      peer: { name: 'ajv', value: percentile(ajv.latencies, 0.5) },
    },
    {
      name: 'p99 of these',
      value: percentile(ours.latencies, 0.99),
      unit: 'ms',
      peer: { name: 'ajv', value: percentile(ajv.latencies, 0.99) },
      target: { atMost: 50 },
    },
  ]
  return rows
}
