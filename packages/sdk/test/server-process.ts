// Runs the real server in a process of its own, so that it can be killed: node server-process.ts DATA PORT
import { defaultConfig, startServer } from '@llm-eval/server'

const [data = '', port = ''] = process.argv.slice(2)
await startServer({ config: { ...defaultConfig(), data, port: Number(port), log_level: 'silent' } })
console.log('listening')
