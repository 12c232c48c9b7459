/** Stands for your application: it says which team a message is for. Here by its words; yours may ask a model. */
export function route(message: string): { team: string; confidence: number } {
  const found = Object.entries(words).map(([team, list]) => ({
    team,
    hits: list.filter((word) => message.toLowerCase().includes(word)).length,
  }))
  const [best, next] = found.sort((a, b) => b.hits - a.hits)
  if (!best || best.hits === 0) return { team: 'sales', confidence: 0 }
  return { team: best.team, confidence: (best.hits - (next?.hits ?? 0)) / best.hits }
}

const words: Record<string, string[]> = {
  billing: ['invoice', 'refund', 'charged', 'card', 'payment'],
  technical: ['error', 'crash', 'login', 'password', 'slow', 'api'],
  sales: ['plan', 'price', 'demo', 'seats', 'discount'],
}
