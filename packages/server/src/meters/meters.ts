import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { createJudgeMeters, type JudgeMeters } from './judge-meters.ts'
import { createRunMeters, type RunMeters } from './run-meters.ts'

/** The server's own measurements. One registry per server, so that two servers in one process do not mix. */
export interface Meters {
  registry: Registry
  /** Traces by what became of them: an item status, or the code of the failure that refused the request. */
  ingested: Counter<'outcome'>
  /** Bytes of the bodies of ingest requests, after decompression. */
  ingestedBytes: Counter
  /** Error answers by failure code. */
  failures: Counter<'code'>
  /** Seconds from the request's first byte to the answer's last. */
  http: Histogram<'method' | 'route' | 'status'>
  /** Seconds that group commits took. */
  commits: Histogram
  /** Traces and bytes that wait for the next group commit. */
  queuedTraces: Gauge
  queuedBytes: Gauge
  /** Open streams by route. */
  streams: Gauge<'kind'>
  /** Events that a consumer still has to read: search, rollups, or the slowest stream. */
  eventLag: Gauge<'consumer'>
  poolUsed: Gauge
  poolSize: Gauge
  judge: JudgeMeters
  runs: RunMeters
}

/** Makes the measurements; nothing is read from the process until `registry.metrics()` is asked. */
export function createMeters(): Meters {
  const registry = new Registry()
  const registers = [registry]
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  return {
    registry,
    ingested: new Counter({
      name: 'llm_eval_ingested_traces_total',
      help: 'Traces by what became of them.',
      labelNames: ['outcome'],
      registers,
    }),
    ingestedBytes: new Counter({
      name: 'llm_eval_ingested_bytes_total',
      help: 'Bytes of the bodies of ingest requests, after decompression.',
      registers,
    }),
    failures: new Counter({
      name: 'llm_eval_failures_total',
      help: 'Error answers by failure code.',
      labelNames: ['code'],
      registers,
    }),
    http: new Histogram({
      name: 'llm_eval_http_request_seconds',
      help: 'How long requests took, by route.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    commits: new Histogram({
      name: 'llm_eval_commit_seconds',
      help: 'How long group commits took.',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    }),
    queuedTraces: gauge('llm_eval_queue_traces', 'Traces that wait for the next group commit.'),
    queuedBytes: gauge('llm_eval_queue_bytes', 'Bytes that wait for the next group commit.'),
    streams: gauge('llm_eval_streams', 'Open streams.', ['kind']),
    eventLag: gauge('llm_eval_event_lag', 'Events that a consumer still has to read.', ['consumer']),
    poolUsed: gauge('llm_eval_pool_used', 'Database connections in use.'),
    poolSize: gauge('llm_eval_pool_size', 'Database connections there may be.'),
    judge: createJudgeMeters(registry),
    runs: createRunMeters(registry),
  }
}
