const smoke = require('./smoke.cjs')
const sdk = require('llm-eval-sdk')

void smoke(sdk, process.argv[2])
