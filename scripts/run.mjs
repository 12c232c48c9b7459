// node scripts/run.mjs FILE …: runs a TypeScript file of this repository from source, as the benches and the torture runs are.
import { handOver } from './child.mjs'
import { Obstacle, orderly } from './obstacle.mjs'
import { setup } from './setup.mjs'

await orderly(async () => {
  const args = process.argv.slice(2)
  if (args.length === 0) throw new Obstacle('Usage: node scripts/run.mjs FILE [ARGUMENTS]')
  const { node, env } = await setup()
  process.exitCode = await handOver({ command: node, args: ['--conditions=llm-eval-source', ...args] }, { env })
})
