import { toError } from './error.ts'

/**
 * Calls the application's code. What it throws, at once or later, goes to `onThrow`; what that throws goes nowhere, for
 * nobody is left to be told.
 */
export function callSafely(call: () => unknown, onThrow: (error: Error) => unknown = () => undefined): void {
  const report = (thrown: unknown) => callSafely(() => onThrow(toError(thrown)))
  try {
    const made = call()
    if (isThenable(made)) Promise.resolve(made).catch(report)
  } catch (thrown) {
    report(thrown)
  }
}

function isThenable(made: unknown): made is PromiseLike<unknown> {
  return typeof made === 'object' && made !== null && 'then' in made && typeof made.then === 'function'
}
