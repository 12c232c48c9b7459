/** Something that stops a script and that the user can act on; its message is shown without a stack trace. */
export class Obstacle extends Error {}

/**
 * Runs the whole of a script: an obstacle is printed as a message and ends it with exit code 1.
 *
 * @param {() => Promise<void>} script
 */
export async function orderly(script) {
  try {
    await script()
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error
    process.stderr.write(`\n${error.message}\n`)
    process.exitCode = 1
  }
}
