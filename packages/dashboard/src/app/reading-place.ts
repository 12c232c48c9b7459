import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react'

/** Once a list is whole and nothing has moved for so long, it is at rest. Milliseconds. */
const restAfter = 1000

const hands = ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const

interface Place {
  /** Scrolls to where what is held stands as it stood. */
  goBack(): void
  /** Lets go as soon as nothing moves any more. */
  letGoAtRest(): void
  letGo(): void
}

function holdPlace(list: HTMLElement, held: HTMLElement): Place {
  const { top } = held.getBoundingClientRect()
  const over = new AbortController()
  const letGo = (): void => over.abort()
  let rest: ReturnType<typeof setTimeout> | undefined
  const restAnew = (): void => {
    clearTimeout(rest)
    rest = setTimeout(letGo, restAfter)
  }
  const goBack = (): void => {
    const moved = held.getBoundingClientRect().top - top
    if (over.signal.aborted || Math.abs(moved) < 1) return
    scrollBy({ top: moved, behavior: 'instant' })
    if (rest !== undefined) restAnew()
  }
  const grows = new ResizeObserver(goBack)
  grows.observe(list)
  over.signal.addEventListener('abort', () => grows.disconnect())
  for (const hand of hands) addEventListener(hand, letGo, { capture: true, passive: true, signal: over.signal })
  return {
    goBack,
    letGo,
    letGoAtRest: () => {
      if (rest === undefined) restAnew()
    },
  }
}

/**
 * Holds a place on the screen while a list grows above it. Browsers keep a reader's place by themselves only where the
 * page is scrolled, only some do, and not well while what comes has no height yet (`content-visibility`): they may hold
 * on to something that is about to move itself.
 *
 * @param list what grows
 * @param isWhole whether all that is awaited is there
 * @returns holds an element where it is now, until the reader does something or the whole list is at rest
 */
export function useReadingPlace(list: RefObject<HTMLElement | null>, isWhole: boolean): (held: HTMLElement) => void {
  const place = useRef<Place | null>(null)
  useEffect(() => () => place.current?.letGo(), [])
  // What is drawn anew is put right before it is seen.
  useLayoutEffect(() => {
    place.current?.goBack()
    if (isWhole) place.current?.letGoAtRest()
  })
  return (held) => {
    place.current?.letGo()
    if (list.current) place.current = holdPlace(list.current, held)
  }
}
