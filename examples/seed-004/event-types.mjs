// What `jq -R 'fromjson? | .type'` does, for machines without jq: the type of each event of a stream.
//   curl … | node examples/seed-004/event-types.mjs
import { createInterface } from 'node:readline'

for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify(JSON.parse(line).type ?? null))
  } catch {
    // A line that is no JSON is no event.
  }
}
