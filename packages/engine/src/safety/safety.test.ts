import { describe, expect, it } from 'vitest'
import { createEngine } from '../create-engine.ts'
import { entropy, ibanShape, isIban, passesLuhn } from './checksums.ts'

const engine = createEngine()

async function found(evaluator: string, text: string, config?: Record<string, unknown>) {
  const { output } = await engine.evaluate({ evaluator, input: { text }, config })
  const entities: { type: string; start: number; end: number }[] = Object(output['entities'])
  return entities.map(({ type, start, end }) => [type, text.slice(start, end)])
}

describe('personal data', () => {
  it.each([
    ['Mail ada.lovelace+notes@mail.example.co.uk today', 'email', 'ada.lovelace+notes@mail.example.co.uk'],
    ['card 4111 1111 1111 1111 exp', 'credit_card', '4111 1111 1111 1111'],
    ['Amex 378282246310005.', 'credit_card', '378282246310005'],
    ['Amex 3782 822463 10005', 'credit_card', '3782 822463 10005'],
    ['4111 1111 1111 1111 12/26 123', 'credit_card', '4111 1111 1111 1111'],
    ['4111111111111111 12/26', 'credit_card', '4111111111111111'],
    ['6205 5000 0000 0000 004 of 19 digits', 'credit_card', '6205 5000 0000 0000 004'],
    ['IBAN: DE89 3704 0044 0532 0130 00', 'iban', 'DE89 3704 0044 0532 0130 00'],
    ['to GB82WEST12345698765432 now', 'iban', 'GB82WEST12345698765432'],
    ['SSN 536-22-8765', 'us_ssn', '536-22-8765'],
    ['call +49 30 901820 please', 'phone', '+49 30 901820'],
    ['(415) 555-2671', 'phone', '(415) 555-2671'],
    ['Tel.: 030 / 901 820', 'phone', '030 / 901 820'],
    ['from 93.184.216.34:443', 'ip_address', '93.184.216.34'],
    ['DOB: 12/10/1815', 'date_of_birth', '12/10/1815'],
    ['born on December 10, 1815', 'date_of_birth', 'December 10, 1815'],
    ['passport number 123456789', 'passport', '123456789'],
    ['Passport no: C01X00T47', 'passport', 'C01X00T47'],
    ['an jürgen@müller.de bitte', 'email', 'jürgen@müller.de'],
    ['to de89370400440532013000', 'iban', 'de89370400440532013000'],
    ['DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX', 'iban', 'DE89 3704 0044 0532 0130 00'],
    ['from 2a02:908:1234:5678:9abc:def0:1234:5678', 'ip_address', '2a02:908:1234:5678:9abc:def0:1234:5678'],
    ['from [2a02:908::1]:443', 'ip_address', '2a02:908::1'],
  ])('in %j is found: %s', async (text, type, data) => {
    expect(await found('pii-detector', text)).toEqual([[type, data]])
  })

  it.each([
    'Order 4111 1111 1111 1112 of 2026-11-21',
    'version 1.2.3.4 and 10.0.0.1, 192.168.1.1',
    'DE88 3704 0044 0532 0130 00',
    'From 1990 to 2024 the price went from 1,200.50 to 3,400.75',
    'UUID 123e4567-e89b-12d3-a456-426614174000',
    'at 12:30:45 on 555-12-34567',
    '0000-0000-0000-0000',
    '@ada and example.com, a@b',
    'Call me maybe 2 or 3 times',
    'pi is 3.14159265358979323846',
    'sha 4111111111111111aa and id_4111111111111111',
    // Addresses of documentation, of this machine and of the link; times; names of C++.
    '2001:db8:85a3::8a2e:370:7334, ::1 and fe80::1',
    'on 2026:11:21 at 20:30:40, 2026::11 aside, std::2abc::3def',
    'Tell user@host, or me @ home',
    'The passport 12 months old is no number',
  ])('is not found in %j', async (text) => {
    expect(await found('pii-detector', text)).toEqual([])
  })

  it('is told with a reason, and never itself', async () => {
    const text = 'ada@example.com, bob@example.com'
    const score = await engine.evaluate({ evaluator: 'pii', input: { text } })
    expect(score).toMatchObject({ value: 0, passed: false, output: { has_pii: true, reason: 'Found 2 × email.' } })
    expect(JSON.stringify(score)).not.toContain('example.com')
  })

  it('is found as surely as asked for, and of the types asked for', async () => {
    const text = 'ada@example.com from 93.184.216.34'
    const types = async (config: Record<string, unknown>) => (await found('pii', text, config)).map(([type]) => type)
    expect(await types({ probability_threshold: 0.7 })).toEqual(['email', 'ip_address'])
    expect(await types({ probability_threshold: 0.71 })).toEqual(['email'])
    expect(await types({ types: ['ip_address'] })).toEqual(['ip_address'])
  })
})

/** Made here, so that nobody takes them for real: random letters and digits, the same in every run. */
function random(length: number, alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'): string {
  let seed = 42
  return Array.from({ length }, () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return alphabet[Math.floor((seed / 2_147_483_648) * alphabet.length)]
  }).join('')
}

const hex = '0123456789abcdef'
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const secrets: [type: string, secret: string][] = [
  ['aws_access_key', `AKIA${random(16, upper)}`],
  ['github_token', `ghp_${random(36)}`],
  ['gitlab_token', `glpat-${random(20)}`],
  ['slack_token', `xoxb-${random(24, '0123456789')}-${random(24)}`],
  ['stripe_key', `sk_live_${random(24)}`],
  ['anthropic_key', `sk-ant-api03-${random(80)}`],
  ['openai_key', `sk-proj-${random(48)}`],
  ['google_key', `AIza${random(35)}`],
  ['hugging_face_token', `hf_${random(34)}`],
  ['npm_token', `npm_${random(36)}`],
  ['sendgrid_key', `SG.${random(22)}.${random(43)}`],
  ['digitalocean_token', `dop_v1_${random(64, hex)}`],
  ['private_key', `-----BEGIN RSA PRIVATE KEY-----\n${random(20)}`],
  [
    'json_web_token',
    [
      { alg: 'HS256', typ: 'JWT' },
      { sub: '1234567890', name: 'Ada' },
    ]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .concat(random(43))
      .join('.'),
  ],
]

describe('secrets', () => {
  it.each(secrets)('of the form %s are found', async (type, secret) => {
    expect(await found('secrets-detector', `use ${secret} here`)).toEqual([[type, secret]])
  })

  it.each([
    ['assigned_secret', `api_key = "${random(24)}"`, random(24)],
    ['assigned_secret', `"password": "${random(18)}"`, random(18)],
    ['password_in_url', 'postgres://app:hunter2hunter2@db.example.com/x', 'hunter2hunter2'],
    ['password_in_url', 'redis://:hunter2hunter2@cache:6379/0', 'hunter2hunter2'],
    ['assigned_password', '{"user": "ada", "password": "Tr0ub4dor&3"}', 'Tr0ub4dor&3'],
    ['assigned_password', 'Your password is: xK9#mPq2.', 'xK9#mPq2'],
    ['assigned_password', "DB_PASSWD='q7$Lw!0z8'", 'q7$Lw!0z8'],
    ['azure_storage_key', `AccountKey=${random(86)}==;`, `${random(86)}==`],
  ])('that are written down as one are found: %s', async (type, text, secret) => {
    expect(await found('secrets', text)).toEqual([[type, secret]])
  })

  it.each([
    'Set OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx first',
    'api_key = "your-api-key-goes-here-1"',
    `token: ${'a'.repeat(40)}`,
    'password: correct horse battery staple',
    'password: ******** or password = os.environ["DB_PASSWORD_2"] or password: ${PASSWORD1}',
    'The password is case-sensitive, 8 to 20 characters, and password: string is its type',
    'password = hashPassword256(input) and password: <your-Password-1>',
    'passwords: 12 and Password: 20-characters',
    'postgres://user:password@localhost/db and postgres://user:${PASSWORD}@host/db',
    'The secret is out: sk-learn is scikit-learn',
    'commit 3f786850e387550fdab836ed7e6dc881de23001b',
    'const secretKeyDerivationFunctionName = deriveKeyFromPassword',
    'AKIAIOSFODNN7EXAMPLE',
    'eyJhbGciOi is how tokens begin',
  ])('are not found in %j', async (text) => {
    expect(await found('secrets', text)).toEqual([])
  })

  it('are told by type, and never themselves', async () => {
    const [, secret = ''] = secrets[1] ?? []
    const score = await engine.evaluate({ evaluator: 'secrets', input: { text: `x ${secret}` } })
    expect(score).toMatchObject({ value: 0, output: { has_secret: true, reason: 'Found 1 × github_token.' } })
    expect(JSON.stringify(score)).not.toContain(secret)
  })
})

describe('profanity', () => {
  it.each([
    'Fuck this',
    'what the f*ck',
    'sh1t happens',
    'you $hithead!',
    'BULLSHIT',
    'piss  off',
    'a$$hole, fuuuck? fuck',
    'wankers',
    'slutty',
    'niggaz',
    'kikes',
    'cunts',
  ])('is found in %j', async (text) => {
    expect((await engine.evaluate({ evaluator: 'profanity', input: { text } })).output['is_safe']).toBe(false)
  })

  it.each([
    'Scunthorpe, Penistone and Cockermouth',
    'a class assignment on cocktails and shuttlecocks',
    'assess the passage about Dick Whittington and the donkey',
    'shiitake, mushitake, matsushita',
    'He pricked his finger; the cock crowed.',
    'fire retardant',
    'a niggardly sum for a Wankel engine at Wankhede Stadium',
    'Kikelomo met Professor Cuntz in Slutsk; slutligen åkte de hem',
    '',
  ])('is not found in %j', async (text) => {
    expect((await engine.evaluate({ evaluator: 'profanity', input: { text } })).output).toEqual({
      is_safe: true,
      count: 0,
    })
  })

  it('is what the configuration says beside', async () => {
    const score = (config: Record<string, unknown>) =>
      engine.evaluate({ evaluator: 'profanity', input: { text: 'Zut alors, damnation! Shit.' }, config })
    expect((await score({ allow: ['SHIT'] })).output['count']).toBe(0)
    expect((await score({ words: ['zut', 'damn*'] })).output['count']).toBe(3)
    expect((await score({ words: ['a.c', '[('] })).output['count']).toBe(1)
  })
})

describe('check digits', () => {
  it('of Luhn are those of cards', () => {
    expect(['4111111111111111', '5555555555554444', '0'].map(passesLuhn)).toEqual([true, true, true])
    expect(['4111111111111112', '5555555555554445', ''].map(passesLuhn)).toEqual([false, false, false])
  })

  it('of IBANs are those of ISO 7064', () => {
    expect(['DE89370400440532013000', 'gb82west12345698765432', 'NO9386011117947'].map(isIban)).toEqual([
      true,
      true,
      true,
    ])
    expect(['DE89370400440532013001', 'DE8937040044053201300', 'XX00', ''].map(isIban)).toEqual([
      false,
      false,
      false,
      false,
    ])
  })

  it('of an IBAN end where those of its country do', () => {
    const found = (text: string) => [...text.matchAll(ibanShape)].map(([match]) => match)
    expect(found('NO93 8601 1117 947 MT84MALT011000012345MTLCAST001S')).toEqual([
      'NO93 8601 1117 947',
      'MT84MALT011000012345MTLCAST001S',
    ])
    expect(found('NO93 8601 1117 9471, XX93 8601 1117 947')).toEqual([])
  })

  it('entropy is that of Shannon', () => {
    expect([entropy(''), entropy('aaaa'), entropy('abab'), entropy('abcd')]).toEqual([0, 0, 1, 2])
  })
})
