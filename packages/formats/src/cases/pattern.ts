/**
 * A regular expression as JavaScript writes it, of one that may be written for Python: flags at its beginning fall, as case never
 * counts and `.` always meets line ends; `(?P<name>…)` and `(?P=name)` lose their P; `\A` and `\Z` become `^` and `$`.
 */
export function javascriptPattern(pattern: string): string {
  return pattern
    .replace(/^\(\?[aimsux]+\)/, '')
    .replaceAll('(?P<', '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replace(/(^|[^\\])((?:\\\\)*)\\A/g, '$1$2^')
    .replace(/(^|[^\\])((?:\\\\)*)\\Z/g, '$1$2$')
}

/** Whether a pattern can be used. */
export function isPattern(pattern: string): boolean {
  try {
    return new RegExp(javascriptPattern(pattern), 'is') instanceof RegExp
  } catch {
    return false
  }
}
