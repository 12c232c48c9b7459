// An application around the middleware of the source document, which takes the name `app` for granted.
//   node examples/around/express-app.mjs
//   curl -H 'content-type: application/json' -d '{"track_llm":true,"model":"gpt-4","query":"Hello?"}' URL/ask
import express from 'express'

const app = express()
app.use(express.json())
Object.assign(globalThis, { app })
await import('../seed-001/express-middleware.cjs')

app.post('/ask', (request, response) => {
  response.send({ llm_response: `You asked: ${request.body.query}` })
})
const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`)
})
