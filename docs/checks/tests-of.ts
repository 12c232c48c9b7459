import { text } from './markdown.ts'

const call =
  /\b(?:it|test|describe)(?:\.\w+)*(?:\((?:[^()]|\([^()]*\))*\))?\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g

/** The names of the tests of a file, as they stand in its source: `%s` and the like are not filled in. */
export function testsOf(path: string): Set<string> {
  const names = [...text(path).matchAll(call)].map(([, single, double, template]) => single ?? double ?? template ?? '')
  return new Set(names.map((name) => name.replace(/\\(['"`])/g, '$1')))
}
