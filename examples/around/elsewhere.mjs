// For tests: what a block sends to http://localhost:8000 goes to the server at LLM_EVAL_URL instead.
//   LLM_EVAL_URL=http://127.0.0.1:9000 node --import ./examples/around/elsewhere.mjs examples/seed-001/basic.mjs
const { fetch } = globalThis
globalThis.fetch = (input, init) => {
  const { url } = new Request(input)
  return fetch(url.replace('http://localhost:8000', process.env.LLM_EVAL_URL), init)
}
