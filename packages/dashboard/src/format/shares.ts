import { formatPercent, unknown } from './numbers.ts'

/** A share in 0..1 as percent: 100 % only of all and 0 % only of none. */
export function formatShare(share: number | null): string {
  if (share === null) return unknown
  if (share <= 0) return '0 %'
  if (share >= 1) return '100 %'
  return formatPercent(Math.min(99.9, Math.max(0.1, share * 100)))
}
