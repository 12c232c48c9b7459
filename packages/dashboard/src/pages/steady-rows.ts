import { type RefObject, useLayoutEffect, useRef } from 'react'

/** Rows of the window by which it is told how far they moved. */
const steadyRows = 15

/** Whoever has scrolled down keeps what they look at where it is when runs come or go above it. */
export function useSteadyRows(ids: readonly string[], scroller: RefObject<HTMLElement | null>, height: number): void {
  const before = useRef(ids)
  useLayoutEffect(() => {
    const old = before.current
    before.current = ids
    const box = scroller.current
    if (old === ids || !box || box.scrollTop < height) return
    const top = Math.floor(box.scrollTop / height)
    const places = new Map(ids.map((id, at) => [id, at]))
    const moves = old.slice(top, top + steadyRows).flatMap((id, at) => {
      const place = places.get(id)
      return place === undefined ? [] : [place - (top + at)]
    })
    // One that found another place in the order is not followed: most of them say how far all moved.
    const move = moves.sort((a, b) => a - b)[Math.floor(moves.length / 2)] ?? 0
    if (move !== 0) box.scrollTop += move * height
  }, [ids, scroller, height])
}
