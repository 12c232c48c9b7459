import { createHash } from 'node:crypto'
import { escaped } from './xml.ts'

export interface Page {
  title: string
  style: string
  /** HTML, escaped by whoever wrote it. */
  body: string
  /** Text. */
  footer: string
  script: string
}

/**
 * A page that needs nothing but a browser. What it may do it says itself: run this script, and nothing that comes from anywhere;
 * so the body must do without `style` and `on…` attributes.
 */
export function pageOf({ title, style, body, footer, script }: Page): string {
  const policy = `default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'; base-uri 'none'; form-action 'none'`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escaped(title)} · llm-eval</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
<footer>${escaped(footer)}</footer>
</main>
<script>${script}</script>
</body>
</html>
`
}

/** JSON that no parser of HTML takes for markup. */
export function jsonIn(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
