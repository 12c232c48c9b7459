import * as sdk from 'llm-eval-sdk'
import smoke from './smoke.cjs'

await smoke(sdk, process.argv[2])
