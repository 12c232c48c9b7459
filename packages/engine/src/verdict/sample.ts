/**
 * Where so many of the ids stand, in their order: the same ones whatever the order, so that what is drawn stays what it is while
 * cases come and go. Those with the least hashes are taken (bottom-k sampling: Cohen and Kaplan, PODC 2007).
 */
export function sampleOf(ids: readonly string[], count: number): number[] {
  const places = Array.from(ids.keys())
  if (count <= 0) return []
  if (ids.length <= count) return places
  const hashes = Uint32Array.from(ids, hashOf)
  const least = hashes.slice().sort()[count - 1] ?? 0
  const below = places.filter((at) => (hashes[at] ?? 0) < least)
  // Of ids with the same hash the lesser go first.
  const equal = places
    .filter((at) => hashes[at] === least)
    .toSorted((x, y) => ((ids[x] ?? '') < (ids[y] ?? '') ? -1 : 1))
  return [...below, ...equal.slice(0, count - below.length)].toSorted((x, y) => x - y)
}

/** FNV-1a over UTF-16 code units, then mixed: ids that differ in their last digit alone lie far apart. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
