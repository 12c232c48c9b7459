import * as fc from 'fast-check'

/** Any JSON whose objects have keys out of these: deep, and mostly of the wrong kind for what reads it. */
export function jsonOf(...keys: readonly string[]): fc.Arbitrary<unknown> {
  const key = fc.constantFrom(...keys)
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { depthSize: 'small' },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('json'), { maxLength: 3 }),
      fc.array(fc.tuple(key, tie('json')), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs)),
    ),
  }))
  return json
}
