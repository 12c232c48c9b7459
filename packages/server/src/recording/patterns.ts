/** What personal data and secrets look like. Each pattern takes time in proportion to the text. */
import { isIP } from 'node:net'
import type { RedactedKind } from '../config/redaction.ts'

interface Look {
  pattern: RegExp
  /** Whether something that fits is one; it is unless said. */
  is?: (text: string) => boolean
}

/** By kind, in the order in which they are looked for: what holds another one comes first. */
export const looks: Record<RedactedKind, readonly Look[]> = {
  secret: [
    { pattern: /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g },
    { pattern: /\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}/g },
    { pattern: /\bgh[opusr]_[A-Za-z0-9]{20,}/g },
    { pattern: /\bgithub_pat_[A-Za-z0-9_]{20,}/g },
    { pattern: /\bxox[abeprs]-[A-Za-z0-9-]{10,}/g },
    { pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
    { pattern: /\bAIza[A-Za-z0-9_-]{30,}/g },
    { pattern: /\bya29\.[A-Za-z0-9_-]{20,}/g },
    { pattern: /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g },
    { pattern: /\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{12,}/gi },
    {
      pattern: /\b(?:api[-_ ]?key|password|passwd|secret|access[-_ ]?token)\s{0,5}[:=]\s{0,5}(?:"[^"]*"|'[^']*'|\S+)/gi,
    },
  ],
  email: [{ pattern: /[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}[\p{L}\p{N}-]{2,63}/gu }],
  iban: [{ pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g, is: isIban }],
  credit_card: [{ pattern: /(?<![\d.])\d(?:[ -]?\d){12,18}(?!\d)/g, is: isCard }],
  us_ssn: [{ pattern: /(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])/g }],
  ip_address: [
    { pattern: /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g, is: (text) => isIP(text) === 4 },
    { pattern: /(?<![0-9a-f:])[0-9a-f:]{3,39}(?![0-9a-f:])/gi, is: (text) => isIP(text) === 6 },
  ],
  phone: [
    { pattern: /(?<![\w+])(?:\+|00)[1-9]\d{0,2}(?:[ ./-]?\(?\d{1,4}\)?){2,6}(?!\w)/g, is: hasDigits },
    { pattern: /(?<![\w+])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\w)/g },
  ],
}

function digitsOf(text: string): number[] {
  return Array.from(text.replaceAll(/\D/g, ''), Number)
}

/** Luhn's check (ISO/IEC 7812-1, annex B). */
function isCard(text: string): boolean {
  const digits = digitsOf(text).reverse()
  const sum = digits.reduce((all, digit, at) => all + (at % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2), 0)
  return digits.length <= 19 && digits.some((digit) => digit !== 0) && sum % 10 === 0
}

/** The check of ISO 13616: the remainder by 97 is 1. */
function isIban(text: string): boolean {
  const bare = text.replaceAll(' ', '')
  if (bare.length < 15 || bare.length > 34) return false
  let rest = 0
  for (const sign of bare.slice(4) + bare.slice(0, 4)) {
    const value = Number.parseInt(sign, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

/** As many as a number with its country has (ITU-T E.164). */
function hasDigits(text: string): boolean {
  const { length } = digitsOf(text)
  return length >= 8 && length <= 17
}
