import type { ConversationEvent, ConversationFile, ConversationTokens } from '@llm-eval/protocol'

/** The kinds of events that are told in plain words, whatever framework the agent has. */
export type PlainKind = 'user_message' | 'assistant_message' | 'tool_call' | 'tool_result' | 'thinking'

/** What an event in plain words means. */
export interface PlainContext {
  /** Who speaks where nobody is named. */
  author: string
  /** Names and authors of calls by their ids. */
  calls: ReadonlyMap<string, { name: string; author: string }>
  /** Whether a tool's result comes from the user's side: of a call that an earlier request ended with. */
  fromUser: boolean
}

/** An event in plain words as an event of ADK, before it is read as such. */
export function adkJson(event: ConversationEvent<PlainKind>, context: PlainContext): Record<string, unknown> {
  return {
    id: event.event_id ?? `${event.kind}-${event.seq}`,
    author: context.author,
    timestamp: Date.parse(event.at) / 1_000,
    ...said(event, context),
  }
}

function said(event: ConversationEvent<PlainKind>, { author, calls, fromUser }: PlainContext): Record<string, unknown> {
  switch (event.kind) {
    case 'user_message': {
      const { text, files } = event.payload
      return { author: 'user', content: { role: 'user', parts: [...textPart(text), ...files.map(filePart)] } }
    }
    case 'assistant_message': {
      const { text, usage, model } = event.payload
      return {
        author: event.payload.author ?? author,
        content: { role: 'model', parts: textPart(text) },
        ...used(usage, model),
      }
    }
    case 'tool_call': {
      const { id, name, args, thought_signature: thoughtSignature } = event.payload
      const parts = [{ functionCall: { id, name, args }, thoughtSignature }]
      return { author: event.payload.author ?? author, content: { role: 'model', parts } }
    }
    case 'tool_result': {
      const { id, result } = event.payload
      const call = calls.get(id)
      const name = event.payload.name ?? call?.name
      const parts = [{ functionResponse: { id, name, response: result } }]
      const own = event.payload.author ?? call?.author ?? author
      return { author: fromUser ? 'user' : own, content: { role: 'user', parts } }
    }
    case 'thinking': {
      const { text, thought_signature: thoughtSignature, usage, model } = event.payload
      const parts =
        text === null && thoughtSignature === null ? [] : [{ text: text ?? '', thought: true, thoughtSignature }]
      return { author: event.payload.author ?? author, content: { role: 'model', parts }, ...used(usage, model) }
    }
  }
}

function textPart(text: string): { text: string }[] {
  return text === '' ? [] : [{ text }]
}

function filePart({ mime_type: mimeType, data, uri }: ConversationFile): Record<string, unknown> {
  return data === null ? { fileData: { fileUri: uri, mimeType } } : { inlineData: { data, mimeType } }
}

function used(usage: ConversationTokens | null, model: string | null): Record<string, unknown> {
  if (usage === null) return { modelVersion: model }
  const { input, output, thoughts, cached, total } = usage
  return {
    modelVersion: model,
    usageMetadata: {
      promptTokenCount: input,
      // What is counted as output holds the thoughts.
      candidatesTokenCount: output === null ? null : Math.max(0, output - (thoughts ?? 0)),
      thoughtsTokenCount: thoughts,
      cachedContentTokenCount: cached,
      totalTokenCount: total,
    },
  }
}
