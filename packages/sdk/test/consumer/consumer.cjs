const smoke = require('./smoke.cjs')
const sdk = require('llm-eval-sdk')
const experiments = require('llm-eval-sdk/experiments')

void smoke(sdk, experiments, process.argv[2])
