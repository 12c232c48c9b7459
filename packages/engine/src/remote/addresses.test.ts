import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAddressCheck } from './addresses.ts'
import { addressFault } from './guarded-fetch.ts'

const allows = createAddressCheck()

describe('addresses of remote evaluators', () => {
  it.each(['93.184.216.34', '1.1.1.1', '172.15.255.255', '172.32.0.0', '2606:4700::1111', '2a00:1450:4001::1'])(
    'may be public: %s',
    (address) => expect(allows(address)).toBe(true),
  )

  it.each([
    '127.0.0.1',
    '127.255.255.255',
    '0.0.0.0',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '100.100.100.200',
    '192.0.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '2001:db8::1',
    '2001::1',
    '2002:7f00:1::',
    '100::1',
    'localhost',
    '',
  ])('may not be %s', (address) => expect(allows(address)).toBe(false))

  it('inside of IPv6 are judged as what they are', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(allows(`::ffff:${address}`)).toBe(allows(address))
        expect(allows(`64:ff9b::${address}`)).toBe(allows(address))
      }),
    )
  })

  it('may be private where that is allowed, and there alone', () => {
    const own = createAddressCheck(['10.1.0.0/16', '127.0.0.1', 'fd00::/8'])
    expect(['10.1.2.3', '127.0.0.1', '::ffff:127.0.0.1', 'fd12::1', '1.1.1.1'].map(own)).not.toContain(false)
    expect(['10.2.0.1', '127.0.0.2', 'fe80::1'].map(own)).not.toContain(true)
    expect(() => createAddressCheck(['localhost'])).toThrow('no network')
  })

  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0177.0.0.1/',
    'http://0x7f.1/',
    'http://127.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://localhost:99/',
    'http://a.localhost/',
    'http://LOCALHOST./',
    'http://169.254.169.254/latest/meta-data',
    'https://10.0.0.1/',
  ])('are seen through in %s', (url) => expect(addressFault(url, allows)).toContain('no public address'))

  it('say nothing of a name before it is looked up', () => {
    expect(addressFault('https://judge.example.com/score', allows)).toBeUndefined()
    expect(addressFault('https://localhost.example.com/', allows)).toBeUndefined()
  })
})
