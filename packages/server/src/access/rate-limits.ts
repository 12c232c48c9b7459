/** What a caller has left. */
export interface Allowance {
  allowed: boolean
  /** What is left now, at least 0. */
  remaining: number
  /** Seconds until the whole budget is there again. */
  fullIn: number
  /** Seconds until the refused cost would be there; 0 when it was allowed. */
  retryAfter: number
}

/** What is taken from which bucket. */
export interface Withdrawal {
  bucket: string
  cost: number
  perMinute: number
  /** Milliseconds. */
  at: number
}

/** Counts what callers use. One in memory serves one process; one behind a network answers with a promise. */
export interface Limiter {
  take(withdrawal: Withdrawal): Allowance | Promise<Allowance>
}

/** A limiter that answers at once. */
export interface MemoryLimiter extends Limiter {
  take(withdrawal: Withdrawal): Allowance
  /** How many callers are remembered. */
  size(): number
}

interface Bucket {
  tokens: number
  at: number
}

/**
 * Token buckets that hold one minute's worth and refill steadily. A cost larger than a whole bucket passes when the bucket is
 * full, and leaves a debt: otherwise it could never pass.
 *
 * @param maxBuckets the least recently used ones are forgotten, so that a flood of addresses cannot fill the memory
 */
export function createMemoryLimiter(maxBuckets = 20_000): MemoryLimiter {
  // A Map keeps the order of insertion; a bucket that is used moves to its end.
  const buckets = new Map<string, Bucket>()

  return {
    size: () => buckets.size,
    take({ bucket: name, cost, perMinute, at }) {
      const perMs = perMinute / 60_000
      const bucket = buckets.get(name) ?? { tokens: perMinute, at }
      buckets.delete(name)
      bucket.tokens = Math.min(perMinute, bucket.tokens + Math.max(0, at - bucket.at) * perMs)
      bucket.at = at
      const needed = Math.min(cost, perMinute)
      const allowed = bucket.tokens >= needed
      if (allowed) bucket.tokens -= cost
      if (buckets.size >= maxBuckets) forgetOldest(buckets)
      buckets.set(name, bucket)
      return {
        allowed,
        remaining: Math.max(0, Math.floor(bucket.tokens)),
        fullIn: Math.ceil((perMinute - bucket.tokens) / perMs / 1000),
        retryAfter: allowed ? 0 : Math.max(1, Math.ceil((needed - bucket.tokens) / perMs / 1000)),
      }
    },
  }
}

function forgetOldest(buckets: Map<string, Bucket>): void {
  const oldest = buckets.keys().next()
  if (!oldest.done) buckets.delete(oldest.value)
}

/** The address a limit counts by: IPv6 callers own a whole /64. */
export function addressBucket(ip: string): string {
  if (!ip.includes(':')) return ip
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)
  if (mapped?.[1]) return mapped[1]
  const [head = '', tail] = ip.split('::', 2)
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length)
  const groups = [...front, ...Array.from({ length: zeros }, () => '0'), ...back]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
