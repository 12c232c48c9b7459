import { BlockList, isIP } from 'node:net'

/** Networks of IPv4 that are not the public internet (IANA's special-purpose registry), multicast included. */
const special = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const
/** Networks of IPv6's public range that lead elsewhere: Teredo and other protocols, documentation, 6to4. */
const special6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const

const refused = new BlockList()
for (const [network, bits] of special) refused.addSubnet(network, bits, 'ipv4')
for (const [network, bits] of special6) refused.addSubnet(network, bits, 'ipv6')
const public6 = new BlockList()
public6.addSubnet('2000::', 3, 'ipv6')

/** Says which addresses may be connected to. */
export type AddressCheck = (address: string) => boolean

/**
 * Public addresses, and those of the given networks (`10.1.0.0/16`, `127.0.0.1`, `::1`). Loopback, private, link-local (where
 * clouds keep their metadata), multicast and reserved addresses are refused otherwise, also in the clothes of IPv6.
 *
 * @throws {RangeError} for a network that is none
 */
export function createAddressCheck(allowed: readonly string[] = []): AddressCheck {
  const own = new BlockList()
  for (const network of allowed) {
    const [address = '', bits] = network.split('/', 2)
    const family = isIP(address)
    if (family === 0) throw new RangeError(`${network} is no network`)
    const type = family === 4 ? 'ipv4' : 'ipv6'
    if (bits === undefined) own.addAddress(address, type)
    else own.addSubnet(address, Number(bits), type)
  }
  return (address) => {
    const plain = embedded(address) ?? address
    const family = isIP(plain)
    if (family === 0) return false
    const type = family === 4 ? 'ipv4' : 'ipv6'
    if (own.check(plain, type)) return true
    return !refused.check(plain, type) && (family === 4 || public6.check(plain, type))
  }
}

/** The IPv4 address inside of an IPv6 one that is mapped or translated (RFC 4291, RFC 6052). */
function embedded(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined
  const groups = groupsOf(address)
  const isZero = (from: number, to: number) => groups.slice(from, to).every((group) => group === 0)
  const mapped = isZero(0, 5) && groups[5] === 0xffff
  const translated = groups[0] === 0x64 && groups[1] === 0xff9b && isZero(2, 6)
  if (!mapped && !translated) return undefined
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
}

/** The eight groups of an IPv6 address, whichever way it is written. */
function groupsOf(address: string): number[] {
  // The URL parser knows every way, and writes them all the same.
  const { hostname } = new URL(`http://[${address.split('%')[0] ?? ''}]/`)
  const [head = '', tail] = hostname.slice(1, -1).split('::')
  const parse = (part: string | undefined) =>
    (part ?? '')
      .split(':')
      .filter(Boolean)
      .map((group) => Number.parseInt(group, 16))
  const [before, after] = [parse(head), parse(tail)]
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
}
