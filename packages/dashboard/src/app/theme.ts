import { createCell } from '../stream/cell.ts'

/** `system` follows the operating system. */
export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const key = 'llm-eval.theme'

/** The theme chosen on this device, kept across visits and shared by its tabs. */
export function createTheme(storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | undefined) {
  const cell = createCell<Theme>(read())

  function read(): Theme {
    const stored = storage?.getItem(key)
    return stored === 'light' || stored === 'dark' ? stored : 'system'
  }

  function show(theme: Theme): void {
    if (theme === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
    cell.set(theme)
  }

  return {
    cell,
    choose(theme: Theme): void {
      if (theme === 'system') storage?.removeItem(key)
      else storage?.setItem(key, theme)
      show(theme)
    },
    /** Another tab chose. */
    follow(): void {
      show(read())
    },
  }
}

export type ThemeSwitch = ReturnType<typeof createTheme>
