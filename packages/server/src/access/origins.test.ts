import { describe, expect, it } from 'vitest'
import { isLocalRequest, isLoopback, isSameOrigin } from './origins.ts'

const names = {
  allowed_hosts: ['box.lan', '*.team.lan'],
  public_url: 'https://eval.example',
  cors_origins: ['https://app.example'],
}

describe('loopback', () => {
  it.each([
    'localhost',
    'LOCALHOST',
    'a.b.localhost',
    'localhost.',
    '127.0.0.1',
    '127.9.8.7',
    '[::1]',
    '::1',
    '[::ffff:127.0.0.1]',
  ])('is %s', (name) => expect(isLoopback(name)).toBe(true))

  it.each([
    'localhost.evil.example',
    'notlocalhost',
    '127.0.0.1.evil.example',
    '128.0.0.1',
    '0.0.0.0',
    '[::2]',
    '',
    'example',
  ])('is not %j', (name) => expect(isLoopback(name)).toBe(false))
})

describe('an open loopback server', () => {
  it.each([
    ['its own page', 'localhost:8000', { origin: 'http://localhost:8000' }],
    ['a tool', '127.0.0.1:8000', {}],
    ['a page that is developed on another port', 'localhost:8000', { origin: 'http://127.0.0.1:5173' }],
    ['a name under localhost', 'eval.localhost:8000', { origin: 'http://app.localhost:3000' }],
    ['IPv6', '[::1]:8000', { origin: 'http://[::1]:8000' }],
    ['its public name', 'eval.example', { origin: 'https://eval.example' }],
    ['an allowed host', 'box.lan:8000', { origin: 'http://box.lan:8000' }],
    ['an allowed wildcard', 'a.team.lan', {}],
    ['an origin that may read answers', 'localhost:8000', { origin: 'https://app.example' }],
    ['a link on another site', 'localhost:8000', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  ])('answers %s', (_name, host, headers) => {
    expect(isLocalRequest(host, headers, names)).toBe(true)
  })

  it.each([
    ['a rebound DNS name', 'evil.example:8000', {}],
    ['a name that looks like loopback', 'localhost.evil.example', {}],
    ['the bare wildcard domain', 'team.lan', {}],
    ['another site', 'localhost:8000', { origin: 'https://evil.example' }],
    ['an opaque origin', 'localhost:8000', { origin: 'null' }],
    ['an extension', 'localhost:8000', { origin: 'chrome-extension://abc' }],
    ['another site without Origin', 'localhost:8000', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['an empty Host', '', {}],
    ['a Host that is no name', 'evil.example/.localhost', {}],
    ['a Host with a user', 'evil.example@localhost', {}],
    ['no Host', undefined, {}],
  ])('refuses %s', (_name, host, headers) => {
    expect(isLocalRequest(host, headers, names)).toBe(false)
  })
})

describe('a request that a cookie speaks for', () => {
  it.each([
    ['says same-origin', { 'sec-fetch-site': 'same-origin' }],
    ['has our origin', { origin: 'http://box.lan:8000' }],
    ['has our public origin', { origin: 'https://eval.example' }],
  ])('is taken when it %s', (_name, headers) => {
    expect(isSameOrigin('box.lan:8000', headers, names)).toBe(true)
  })

  it.each([
    ['says cross-site', { 'sec-fetch-site': 'cross-site', origin: 'http://box.lan:8000' }],
    ['says same-site', { 'sec-fetch-site': 'same-site', origin: 'http://box.lan:8000' }],
    ['has another port', { origin: 'http://box.lan:9000' }],
    ['has another origin', { origin: 'https://evil.example' }],
    ['has an opaque origin', { origin: 'null' }],
    ['says nothing', {}],
  ])('is refused when it %s', (_name, headers) => {
    expect(isSameOrigin('box.lan:8000', headers, names)).toBe(false)
  })
})
