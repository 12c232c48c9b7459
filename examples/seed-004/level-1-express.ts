// Level 1: text alone. What the agent says, and how fast, can be tested.
//   node examples/seed-004/level-1-express.ts
import express from 'express'
import { fetchData, messageOf, symbolsIn } from './stocks.ts'

const app = express()
app.use(express.json())

app.post('/api/chat', async (request, response) => {
  const [symbol = ''] = symbolsIn(messageOf(request.body))
  const { price } = await fetchData(symbol)
  response.json({ response: `${symbol} is trading at $${price}...` })
})

const server = app.listen(Number(process.env['PORT'] ?? 3000), () => {
  const address = server.address()
  console.log(`http://localhost:${typeof address === 'object' ? address?.port : ''}/api/chat`)
})
