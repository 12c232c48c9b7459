import { createContext, type ReactNode, type RefObject, use, useEffect, useLayoutEffect, useMemo, useRef } from 'react'
import { type Binding, createMatcher, isForPage, type Place, strokeName } from './keymap.ts'

interface Registry {
  add: (set: RefObject<readonly Binding[]>) => () => void
  /** Everything that works now, for the cheat-sheet. */
  current: () => Binding[]
}

const Context = createContext<Registry>({ add: () => () => {}, current: () => [] })

/** Listens to the keyboard once for the whole page. */
export function KeysProvider({ children }: { children: ReactNode }) {
  const sets = useRef<RefObject<readonly Binding[]>[]>([])
  const registry = useMemo<Registry>(
    () => ({
      add(set) {
        sets.current.push(set)
        return () => {
          sets.current = sets.current.filter((other) => other !== set)
        }
      },
      current: () => sets.current.flatMap((set) => [...set.current]),
    }),
    [],
  )
  useEffect(() => {
    const match = createMatcher()
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing || ['Shift', 'Control', 'Meta', 'Alt'].includes(event.key)) return
      const stroke = strokeName(event)
      if (!isForPage(stroke, placeOf(event))) return
      const found = match(
        stroke,
        sets.current.map((set) => set.current),
        event.timeStamp,
      )
      if (!found) return
      event.preventDefault()
      found.run()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
  return <Context value={registry}>{children}</Context>
}

/** Keys that work while this component is on the screen. */
export function useKeys(bindings: readonly Binding[]): void {
  const registry = use(Context)
  const latest = useRef(bindings)
  // Before the page is painted: what is seen can be used, also on a busy machine.
  useLayoutEffect(() => {
    latest.current = bindings
  })
  useLayoutEffect(() => registry.add(latest), [registry])
}

export function useAllKeys(): () => Binding[] {
  return use(Context).current
}

const notText = new Set(['button', 'checkbox', 'radio', 'range', 'submit', 'reset', 'color', 'file'])

function placeOf(event: KeyboardEvent): Place {
  const target = event.target instanceof HTMLElement ? event.target : null
  const typing =
    target !== null &&
    (target.isContentEditable ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement ||
      (target instanceof HTMLInputElement && !notText.has(target.type)))
  return {
    typing,
    pressable: target?.closest('a, button, summary, input, [role=tab], [role=menuitem]') != null,
    covered: document.querySelector('[role=dialog], [role=alertdialog], [role=menu]') !== null,
  }
}
