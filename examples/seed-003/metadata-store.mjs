// Option 1, “Enhanced Metadata Store”: the four methods of the source document, which keep a conversation in llm-eval, from where
// it is exported. Times are seconds since 1970, as ADK counts them.

export class MetadataStore {
  #baseUrl
  #about

  /** @param about what the agent is called and whose conversations these are: `{ app_name, user_id }` */
  constructor(baseUrl = 'http://localhost:8000', about = {}) {
    this.#baseUrl = baseUrl
    this.#about = about
  }

  add_user_message(thread_id, invocation_id, content, timestamp) {
    return this.#add(thread_id, { kind: 'user_message', invocation_id, payload: { text: content } }, timestamp)
  }

  add_tool_call(thread_id, tool_call_id, name, args, timestamp) {
    return this.#add(thread_id, { kind: 'tool_call', payload: { id: tool_call_id, name, args } }, timestamp)
  }

  add_tool_result(thread_id, tool_call_id, name, response, timestamp) {
    return this.#add(thread_id, { kind: 'tool_result', payload: { id: tool_call_id, name, result: response } }, timestamp)
  }

  add_assistant_message(thread_id, content, timestamp) {
    return this.#add(thread_id, { kind: 'assistant_message', payload: { text: content } }, timestamp)
  }

  async #add(thread_id, event, timestamp) {
    const at = new Date(timestamp * 1000).toISOString()
    const url = `${this.#baseUrl}/api/v1/conversations/${encodeURIComponent(thread_id)}/events`
    const body = JSON.stringify({ ...this.#about, events: [{ ...event, at }] })
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  }
}
