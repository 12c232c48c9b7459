// npm start: installs what is missing, builds what is stale, starts the server.
import { join } from 'node:path'
import { build } from './build.mjs'
import { handOver } from './child.mjs'
import { root } from './fingerprint.mjs'
import { orderly } from './obstacle.mjs'
import { setup } from './setup.mjs'

await orderly(async () => {
  const toolchain = await setup()
  await build(toolchain)
  const args = [join(root, 'packages/cli/bin/llm-eval.js'), 'serve', ...process.argv.slice(2)]
  process.exitCode = await handOver({ command: toolchain.node, args }, { env: toolchain.env })
})
