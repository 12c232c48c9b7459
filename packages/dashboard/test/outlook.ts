import type { Page } from 'playwright-core'

/** How many pixels the page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}

/** What a screen reader, or a person without a mouse, could not make sense of. */
export function obstacles(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = []
    const describe = (element: Element): string => element.outerHTML.slice(0, 120)
    const hidden = (element: Element): boolean =>
      element.closest('[hidden], [aria-hidden=true]') !== null || element.getClientRects().length === 0
    const nameOf = (element: Element): string => {
      const labelled = element.getAttribute('aria-labelledby')?.split(' ') ?? []
      const words = [
        element.getAttribute('aria-label'),
        ...labelled.map((id) => document.querySelector(`#${CSS.escape(id)}`)?.textContent),
        ...('labels' in element
          ? [...((element as HTMLInputElement).labels ?? [])].map((label) => label.textContent)
          : []),
        element.matches('input, select, textarea') ? '' : element.textContent,
        element.querySelector('img')?.alt,
      ]
      return words.join('').trim()
    }
    const controls = 'input, select, textarea, button, a[href], [role=tab], [role=menuitem], [role=option]'
    for (const control of document.querySelectorAll(controls)) {
      if (!hidden(control) && nameOf(control) === '') found.push(`without a name: ${describe(control)}`)
    }
    for (const image of document.querySelectorAll('img:not([alt])')) found.push(`without alt: ${describe(image)}`)
    for (const image of document.querySelectorAll('svg:not([aria-hidden=true])')) {
      if (!hidden(image)) found.push(`picture read aloud: ${describe(image)}`)
    }
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id)
    for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) found.push(`id used twice: ${id}`)
    if (document.querySelectorAll('h1').length !== 1)
      found.push(`${document.querySelectorAll('h1').length} main headings`)
    if (document.querySelectorAll('main').length !== 1) found.push('not one main region')
    if (document.documentElement.lang === '') found.push('no language')
    if (!document.title.includes('llm-eval')) found.push(`title: ${document.title}`)
    for (const row of document.querySelectorAll('[role=row]')) {
      if (row.querySelector('[role=cell], [role=columnheader]') === null)
        found.push(`row without cells: ${describe(row)}`)
    }
    return found
  })
}

/** Texts whose colour stands out too little from what is behind them (WCAG AA: 4.5, large text 3). */
export function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas')
    canvas.width = 1
    canvas.height = 1
    const pen = canvas.getContext('2d', { willReadFrequently: true })
    type Color = [red: number, green: number, blue: number, alpha: number]
    const read = (color: string): Color => {
      if (!pen) return [0, 0, 0, 1]
      pen.clearRect(0, 0, 1, 1)
      pen.fillStyle = color
      pen.fillRect(0, 0, 1, 1)
      const [red = 0, green = 0, blue = 0, alpha = 0] = pen.getImageData(0, 0, 1, 1).data
      return [red, green, blue, alpha / 255]
    }
    const over = (top: Color, under: Color): Color => {
      const mix = (at: 0 | 1 | 2): number => top[at] * top[3] + under[at] * (1 - top[3])
      return [mix(0), mix(1), mix(2), 1]
    }
    const light = ([red, green, blue]: Color): number => {
      const linear = [red, green, blue].map((part) => {
        const share = part / 255
        return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0)
    }
    const behind = (element: Element): Color => {
      const layers: Color[] = []
      for (let at: Element | null = element; at; at = at.parentElement) {
        const layer = read(getComputedStyle(at).backgroundColor)
        layers.push(layer)
        if (layer[3] === 1) break
      }
      return layers.reduceRight<Color>((under, top) => over(top, under), [255, 255, 255, 1])
    }
    const found = new Set<string>()
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement
      const text = texts.currentNode.textContent?.trim() ?? ''
      if (
        !element ||
        text === '' ||
        element.closest('.sr-only, script, noscript, option') ||
        element.getClientRects().length === 0 ||
        // What a closed part holds keeps the colours it had when it was closed.
        !element.checkVisibility()
      )
        continue
      // What cannot be used needs no contrast.
      if (element.closest(':disabled')) continue
      const style = getComputedStyle(element)
      const back = behind(element)
      const [one, other] = [light(over(read(style.color), back)), light(back)].sort((a, b) => b - a)
      const ratio = ((one ?? 0) + 0.05) / ((other ?? 0) + 0.05)
      const size = Number.parseFloat(style.fontSize)
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
      if (ratio < (large ? 3 : 4.5)) found.add(`${ratio.toFixed(2)}: ${text.slice(0, 40)} (${style.color})`)
    }
    return [...found]
  })
}
