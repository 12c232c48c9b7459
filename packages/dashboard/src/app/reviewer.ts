import { createCell } from '../stream/cell.ts'

const key = 'llm-eval.reviewer'

/** The name beside verdicts given from this browser. Where people sign in, the server knows it and this stays empty. */
export function createReviewer(storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | undefined) {
  const cell = createCell(storage?.getItem(key) ?? '')
  return {
    cell,
    rename(name: string): void {
      const trimmed = name.trim().slice(0, 100)
      if (trimmed === '') storage?.removeItem(key)
      else storage?.setItem(key, trimmed)
      cell.set(trimmed)
    },
  }
}

export type Reviewer = ReturnType<typeof createReviewer>
