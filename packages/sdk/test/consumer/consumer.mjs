import * as sdk from 'llm-eval-sdk'
import * as experiments from 'llm-eval-sdk/experiments'
import smoke from './smoke.cjs'

await smoke(sdk, experiments, process.argv[2])
