#!/usr/bin/env node
import v8 from 'node:v8'

// Plain JavaScript that any Node understands: what comes after needs a newer one, and an old one would crash without a word.
const oldest = [22, 14]
// While modules of what lives long are loaded memory counts for more than speed: what they need once would stay with the
// process, some 10 MB. Such a command takes this back when it begins its work.
const livesLong = ['serve', 'bridge', 'run'].some((command) => process.argv.includes(command))
if (livesLong) v8.setFlagsFromString('--optimize-for-size')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) {
  import('../dist/main.js').catch((error) => {
    const unbuilt = error?.code === 'ERR_MODULE_NOT_FOUND' && String(error.message).includes('dist/main.js')
    process.stderr.write(
      unbuilt
        ? 'llm-eval is not built yet. Run `npm start` or `npm run build` in its repository.\n'
        : `${error?.stack}\n`,
    )
    process.exitCode = 2
  })
} else {
  process.stderr.write(
    `llm-eval needs Node ${oldest.join('.')} or newer; this is ${process.versions.node}. Install a newer one: https://nodejs.org\n`,
  )
  process.exitCode = 2
}
