/** One thing that keys do. */
export interface Binding {
  /** Any of these: `j`, `ArrowDown`, `mod+k` (Ctrl, or Cmd on a Mac), or two strokes in a row, `g t`. */
  keys: readonly string[]
  /** For the cheat-sheet. */
  does: string
  /** Works on every page. */
  everywhere?: boolean
  run(): void
}

/** The parts of a keyboard event that matter. */
export interface Stroke {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
}

/** The name of a stroke as bindings write it. Shift is in the key already: `?`, `J`. */
export function strokeName({ key, ctrlKey, metaKey, altKey }: Stroke): string {
  const name = key.length === 1 && (ctrlKey || metaKey) ? key.toLowerCase() : key
  return `${ctrlKey || metaKey ? 'mod+' : ''}${altKey ? 'alt+' : ''}${name}`
}

/** Where the stroke landed, as far as it decides who gets it. */
export interface Place {
  /** In a field that takes text. */
  typing: boolean
  /** On something that Enter or Space already presses. */
  pressable: boolean
  /** A dialog or menu is open, and keys belong to it. */
  covered: boolean
}

/** Whether a stroke is for the page's bindings. Strokes with `mod` are even while typing; nothing is under a dialog. */
export function isForPage(stroke: string, place: Place): boolean {
  if (place.covered) return false
  if (place.typing) return stroke.startsWith('mod+') && stroke !== 'mod+Enter'
  return !(place.pressable && (stroke === 'Enter' || stroke === ' '))
}

/** Longest pause between two strokes that belong together, in milliseconds. */
const pauseMs = 1_200

/** Finds what a stroke does, also as the second of two. Later sets of bindings win over earlier ones. */
export function createMatcher(): (
  stroke: string,
  sets: readonly (readonly Binding[])[],
  now: number,
) => Binding | undefined {
  let first = ''
  let firstAt = -Infinity
  return (stroke, sets, now) => {
    const bindings = sets.flatMap((set) => [...set]).reverse()
    const find = (name: string): Binding | undefined => bindings.find((binding) => binding.keys.includes(name))
    const found = (now - firstAt <= pauseMs ? find(`${first} ${stroke}`) : undefined) ?? find(stroke)
    first = found ? '' : stroke
    firstAt = now
    return found
  }
}

/** Keys as people read them. */
export function keyLabels(keys: string, mac: boolean): string[] {
  const words: Record<string, string> = {
    ArrowDown: '↓',
    ArrowUp: '↑',
    ArrowLeft: '←',
    ArrowRight: '→',
    Escape: 'Esc',
    ' ': 'Space',
  }
  const strokes = keys === ' ' ? [keys] : keys.split(' ')
  return strokes.flatMap((stroke) =>
    stroke
      .split('+')
      .map((part) =>
        part === 'mod' ? (mac ? '⌘' : 'Ctrl') : (words[part] ?? (part.length === 1 ? part.toUpperCase() : part)),
      ),
  )
}
