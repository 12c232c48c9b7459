import { isObject } from '@llm-eval/protocol'

/** What of a value is not as it should be. */
export interface Fault {
  path: string
  message: string
}

/**
 * How JSON looks that comes from outside. By hand, since pages that record a conversation load all of this: a library of schemas
 * would be half of what they load.
 */
export interface Form<T> {
  /** Whether a value is of this form; what is wrong with it is told. */
  is(value: unknown, hearing: Hearing): value is T
}

/** What is of a form. */
export type Of<F> = F extends Form<infer T> ? T : never

type Fields = Readonly<Record<string, Form<unknown>>>
type MaybeAbsent<F extends Fields> = { [K in keyof F]: undefined extends Of<F[K]> ? K : never }[keyof F]

/** An object with these fields, and with others that are not known here. */
export type ObjectOf<F extends Fields> = { [K in Exclude<keyof F, MaybeAbsent<F>>]: Of<F[K]> } & {
  [K in MaybeAbsent<F>]?: Of<F[K]>
} & { [more: string]: unknown }

/** Where a value is looked at, and what was found. */
class Hearing {
  readonly faults: Fault[] = []
  readonly #path: (string | number)[] = []

  /** Whether what stands under a key is as it should be. */
  at(key: string | number, isFit: () => boolean): boolean {
    this.#path.push(key)
    const fit = isFit()
    this.#path.pop()
    return fit
  }

  /** As many as anybody reads. */
  fault(message: string): false {
    if (this.faults.length < 20) this.faults.push({ path: this.#path.join('.'), message })
    return false
  }
}

/** What is wrong with a value; nothing where it is of the form. */
export function faultsOf(form: Form<unknown>, value: unknown): Fault[] {
  const hearing = new Hearing()
  form.is(value, hearing)
  return hearing.faults
}

/** Whether a value is of a form. */
export function isOf<T>(form: Form<T>, value: unknown): value is T {
  return form.is(value, new Hearing())
}

/** @param message what is said of anything else, after the place where it stands */
function simple<T>(isFit: (value: unknown) => value is T, message: string): Form<T> {
  return {
    is: (value, hearing): value is T => isFit(value) || hearing.fault(value === undefined ? 'is missing' : message),
  }
}

export const text = simple((value) => typeof value === 'string', 'is no text')

/** @param most characters */
export function filled(most = Number.POSITIVE_INFINITY): Form<string> {
  const message = most === Number.POSITIVE_INFINITY ? 'is no text, or empty' : `is no text of 1 to ${most} characters`
  return simple((value): value is string => typeof value === 'string' && value !== '' && value.length <= most, message)
}

export const number = simple(
  (value): value is number => typeof value === 'number' && Number.isFinite(value),
  'is no number',
)

/** An object of which nothing is known. */
export const record = simple(isObject, 'is no object')

/** Null and nothing at all are the same. */
export function maybe<T>(form: Form<T>): Form<T | null | undefined> {
  return {
    is: (value, hearing): value is T | null | undefined =>
      value === undefined || value === null || form.is(value, hearing),
  }
}

export const anything = simple((value): value is unknown => typeof value !== 'symbol', 'is no JSON')

/** What may be missing, and is not null. */
export function absentOr<T>(form: Form<T>): Form<T | undefined> {
  return { is: (value, hearing): value is T | undefined => value === undefined || form.is(value, hearing) }
}

export function list<T>(form: Form<T>): Form<T[]> {
  return {
    is: (value, hearing): value is T[] => {
      if (!Array.isArray(value)) return hearing.fault(value === undefined ? 'is missing' : 'is no list')
      return allOf(value.entries(), ([index, item]) => hearing.at(index, () => form.is(item, hearing)))
    },
  }
}

export function object<const F extends Fields>(fields: F): Form<ObjectOf<F>> {
  const forms = Object.entries(fields)
  return {
    is: (value, hearing): value is ObjectOf<F> => {
      if (!record.is(value, hearing)) return false
      return allOf(forms, ([key, form]) => hearing.at(key, () => form.is(value[key], hearing)))
    },
  }
}

/** Either: where it is neither, the faults of the second are told. */
export function either<A, B>(one: Form<A>, other: Form<B>): Form<A | B> {
  return { is: (value, hearing): value is A | B => isOf(one, value) || other.is(value, hearing) }
}

/** Objects that say by the value of a key which fields they have. */
export function byKey<const K extends string, const V extends Readonly<Record<string, Fields>>>(
  key: K,
  kinds: V,
): Form<Variants<K, V>> {
  const forms = new Map(Object.entries(kinds).map(([kind, fields]) => [kind, object(fields)]))
  return {
    is: (value, hearing): value is Variants<K, V> => {
      if (!record.is(value, hearing)) return false
      const kind = value[key]
      const form = typeof kind === 'string' ? forms.get(kind) : undefined
      return (
        form?.is(value, hearing) ?? hearing.at(key, () => hearing.fault(`is none of ${[...forms.keys()].join(', ')}`))
      )
    },
  }
}

/** One type for each kind, told apart by the key. */
export type Variants<K extends string, V extends Readonly<Record<string, Fields>>> = {
  [Kind in keyof V & string]: { [At in K]: Kind } & ObjectOf<V[Kind]>
}[keyof V & string]

/** All are looked at, so that all faults are told. */
function allOf<T>(items: Iterable<T>, isFit: (item: T) => boolean): boolean {
  let fit = true
  for (const item of items) fit = isFit(item) && fit
  return fit
}
