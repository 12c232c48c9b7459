import { rougeOfWords, rougeWords } from '../text/rouge-score.ts'

/**
 * ADK's `response_match_score` of one turn (`final_response_match_v1.py` of google-adk 2.13.0): ROUGE-1, F-measure, in 0..1, of words
 * by their stems. Letters of all scripts count, one by one where a script has no spaces. For text in ASCII this is what older
 * ADKs score too; they knew no letters but a to z.
 */
export function responseMatch(expected: string, actual: string): number {
  return rougeOfWords({ target: adkWords(expected), prediction: adkWords(actual) }).f1
}

/** The words of a text as ADK 2.13 sees them. */
function adkWords(text: string): string[] {
  if (!/[^\0-\x7f]/.test(text)) return rougeWords(text, { stemmer: true })
  let spaced = ''
  for (const char of text.normalize('NFKC').toLowerCase()) {
    if (isCjk(char)) spaced += ` ${char} `
    else if (isUnspaced(char)) spaced += /\p{M}/u.test(char) ? char : ` ${char}`
    else spaced += /[\p{L}\p{N}\p{M}]/u.test(char) ? char : ' '
  }
  return spaced
    .split(' ')
    .filter((word) => word !== '')
    .flatMap((word) => (/^[a-z0-9]+$/.test(word) ? rougeWords(word, { stemmer: true }) : word))
}

/** Chinese, Japanese, Korean: a letter is a word. */
function isCjk(char: string): boolean {
  return /[\u4e00-\u9fff\u3040-\u30ff\uac00-\ud7af]/.test(char)
}

/** Thai, Lao, Khmer, Myanmar: a letter with its marks is a word. */
function isUnspaced(char: string): boolean {
  return /[\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f]/.test(char)
}
