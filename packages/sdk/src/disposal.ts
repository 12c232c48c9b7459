/** `Symbol.asyncDispose`, also where the run time does not know it yet (under the name that polyfills use). */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose)
