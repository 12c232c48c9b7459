/**
 * Porter's stemmer ("An algorithm for suffix stripping", 1980) with the changes of NLTK's default mode, which Google's
 * rouge_score stems with. Takes lower case words.
 */
export function stem(word: string): string {
  const irregular = irregularForms.get(word)
  if (irregular !== undefined) return irregular
  if (word.length <= 2) return word
  return [pluralEnding, participleEnding, finalY, doubleSuffix, fullEnding, plainSuffix, finalE, finalL].reduce(
    (left, step) => step(left),
    word,
  )
}

const irregularForms = new Map([
  ['sky', 'sky'],
  ['skies', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ['news', 'news'],
  ['innings', 'inning'],
  ['inning', 'inning'],
  ['outings', 'outing'],
  ['outing', 'outing'],
  ['cannings', 'canning'],
  ['canning', 'canning'],
  ['howe', 'howe'],
  ['proceed', 'proceed'],
  ['exceed', 'exceed'],
  ['succeed', 'succeed'],
])

/** Whether each letter is a consonant: y is one at the start and after a vowel. */
function consonants(word: string): boolean[] {
  const flags: boolean[] = []
  for (let i = 0; i < word.length; i++) {
    const letter = word[i] ?? ''
    flags.push(letter === 'y' ? i === 0 || !flags[i - 1] : !'aeiou'.includes(letter))
  }
  return flags
}

/** How often a consonant follows a vowel. */
function measure(word: string): number {
  const flags = consonants(word)
  let count = 0
  for (let i = 1; i < flags.length; i++) if (flags[i] && !flags[i - 1]) count++
  return count
}

function endsInDouble(word: string): boolean {
  return word.length >= 2 && word.at(-1) === word.at(-2) && consonants(word).at(-1) === true
}

/** Consonant, vowel, consonant other than w, x, y; also a word of a vowel and a consonant. */
function endsInShort(word: string): boolean {
  const flags = consonants(word)
  if (word.length === 2) return flags[0] === false && flags[1] === true
  if (word.length < 3) return false
  return flags.at(-3) === true && flags.at(-2) === false && flags.at(-1) === true && !'wxy'.includes(word.at(-1) ?? '')
}

const isLong = (left: string) => measure(left) > 0
const isLonger = (left: string) => measure(left) > 1

type Rule = readonly [suffix: string, replacement: string, condition?: (left: string) => boolean]

/** The first rule whose suffix fits decides, also when its condition does not hold. */
function apply(word: string, rules: readonly Rule[]): string {
  for (const [suffix, replacement, condition] of rules) {
    if (!word.endsWith(suffix)) continue
    const left = word.slice(0, word.length - suffix.length)
    return condition === undefined || condition(left) ? left + replacement : word
  }
  return word
}

function pluralEnding(word: string): string {
  if (word.endsWith('ies') && word.length === 4) return word.slice(0, -1)
  return apply(word, [
    ['sses', 'ss'],
    ['ies', 'i'],
    ['ss', 'ss'],
    ['s', ''],
  ])
}

function participleEnding(word: string): string {
  if (word.endsWith('ied')) return word.length === 4 ? word.slice(0, -1) : word.slice(0, -2)
  if (word.endsWith('eed')) return isLong(word.slice(0, -3)) ? word.slice(0, -1) : word
  const suffix = ['ed', 'ing'].find(
    (end) => word.endsWith(end) && consonants(word.slice(0, -end.length)).includes(false),
  )
  if (suffix === undefined) return word
  const left = word.slice(0, -suffix.length)
  if (/(?:at|bl|iz)$/.test(left)) return `${left}e`
  if (endsInDouble(left)) return /[lsz]$/.test(left) ? left : left.slice(0, -1)
  return measure(left) === 1 && endsInShort(left) ? `${left}e` : left
}

function finalY(word: string): string {
  return apply(word, [['y', 'i', (left) => left.length > 1 && consonants(left).at(-1) === true]])
}

const doubleSuffixes: readonly Rule[] = [
  ['ational', 'ate', isLong],
  ['tional', 'tion', isLong],
  ['enci', 'ence', isLong],
  ['anci', 'ance', isLong],
  ['izer', 'ize', isLong],
  ['bli', 'ble', isLong],
  ['alli', 'al', isLong],
  ['entli', 'ent', isLong],
  ['eli', 'e', isLong],
  ['ousli', 'ous', isLong],
  ['ization', 'ize', isLong],
  ['ation', 'ate', isLong],
  ['ator', 'ate', isLong],
  ['alism', 'al', isLong],
  ['iveness', 'ive', isLong],
  ['fulness', 'ful', isLong],
  ['ousness', 'ous', isLong],
  ['aliti', 'al', isLong],
  ['iviti', 'ive', isLong],
  ['biliti', 'ble', isLong],
  ['fulli', 'ful', isLong],
  // The l counts as part of what is left, so that geo and theo are long enough.
  ['logi', 'log', (left) => isLong(`${left}l`)],
]

function doubleSuffix(word: string): string {
  if (word.endsWith('alli') && isLong(word.slice(0, -4))) return doubleSuffix(word.slice(0, -2))
  return apply(word, doubleSuffixes)
}

function fullEnding(word: string): string {
  return apply(word, [
    ['icate', 'ic', isLong],
    ['ative', '', isLong],
    ['alize', 'al', isLong],
    ['iciti', 'ic', isLong],
    ['ical', 'ic', isLong],
    ['ful', '', isLong],
    ['ness', '', isLong],
  ])
}

const plainSuffixes: readonly Rule[] = [
  ...['al', 'ance', 'ence', 'er', 'ic', 'able', 'ible', 'ant', 'ement', 'ment', 'ent'].map(
    (suffix) => [suffix, '', isLonger] as const,
  ),
  ['ion', '', (left) => isLonger(left) && /[st]$/.test(left)],
  ...['ou', 'ism', 'ate', 'iti', 'ous', 'ive', 'ize'].map((suffix) => [suffix, '', isLonger] as const),
]

function plainSuffix(word: string): string {
  return apply(word, plainSuffixes)
}

function finalE(word: string): string {
  return apply(word, [['e', '', (left) => isLonger(left) || (measure(left) === 1 && !endsInShort(left))]])
}

function finalL(word: string): string {
  return word.endsWith('ll') && isLonger(word.slice(0, -1)) ? word.slice(0, -1) : word
}
