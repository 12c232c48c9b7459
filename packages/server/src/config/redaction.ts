import * as z from 'zod'

/** What is known to look like personal data or a secret. */
export const redactedKinds = ['email', 'phone', 'credit_card', 'iban', 'us_ssn', 'ip_address', 'secret'] as const
export type RedactedKind = (typeof redactedKinds)[number]

function compiles({ pattern, flags }: { pattern: string; flags: string }): boolean {
  try {
    return new RegExp(pattern, flags) instanceof RegExp
  } catch {
    return false
  }
}

const pattern = z
  .strictObject({
    /** Stands in the place of what is taken out. */
    name: z.string().regex(/^[A-Za-z0-9_-]{1,40}$/, 'must be 1 to 40 letters, digits, _ and -'),
    pattern: z.string().min(1).max(2_000),
    flags: z
      .string()
      .regex(/^[imsu]{0,4}$/, 'may hold i, m, s and u')
      .default(''),
  })
  .refine(compiles, { path: ['pattern'], message: 'is no regular expression' })
  .refine((given) => !compiles(given) || !new RegExp(given.pattern, given.flags).test(''), {
    path: ['pattern'],
    message: 'must not fit an empty text',
  })

/** `args.card.number`, `content.parts.*.text`, `**.password`: member by member; `*` is any one, `**` any number of them. */
const path = z
  .string()
  .max(500)
  .regex(/^[^.]+(\.[^.]+)*$/, 'must be names of members with dots between them')

/** What is taken out of conversations before they are stored. */
export const redactionSchema = z
  .strictObject({
    kinds: z.array(z.enum(redactedKinds)).max(redactedKinds.length).default([]),
    patterns: z.array(pattern).max(100).default([]),
    paths: z.array(path).max(100).default([]),
  })
  .prefault({})

/** The rules of one server. */
export type RedactionRules = z.output<typeof redactionSchema>
